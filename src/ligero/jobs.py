"""Many independent jobs on all cores of this machine.

A job fills one folder and depends on nothing but its arguments. Its folder is published whole
(`runs.publish`), so that its presence means that the job is done: a repeated run does what is
missing, and how many workers there are changes nothing in the outcome.
"""

import contextlib
import importlib
import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from rich.console import Console

from ligero import runs
from ligero.bars import bars
from ligero.errors import InputError, LigeroError

# A job is given to a second worker when its first one dies (killed, out of memory), not to a third:
# what kills two workers is the job.
ATTEMPTS = 2

# Libraries with threads of their own (polars, rensa and tokenizers, numpy) share the cores out.
THREADS = ("POLARS_MAX_THREADS", "RAYON_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")


@dataclass(frozen=True)
class Job:
    """What fills one folder: `function` ("package.module:name") called with a folder to write in
    and `arguments` (by keyword, plain values)."""

    folder: Path
    function: str
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def do(self) -> None:
        """Fill and publish the folder, in this process."""
        module, _, name = self.function.partition(":")
        function: Callable[..., None] = getattr(importlib.import_module(module), name)
        with runs.publish(self.folder) as folder:
            function(folder, **self.arguments)


def run(
    jobs: Iterable[Job], workers: int | None = None, say: Callable[[str], None] | None = None
) -> None:
    """Do `jobs` with `workers` processes (as many as there are cores when None): see `Workers`."""
    with Workers(workers, say) as crew:
        crew.run(jobs)


def cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Workers:
    """Processes that wait for jobs: `with Workers() as crew: crew.run(...)`, once or often.

    count: processes; as many as there are cores when None. With 1, jobs are done in this process.
    say: told what a person should know; lines on the standard error stream when None.

    Processes are spawned, not forked: polars' threads do not survive a fork. They are started when
    first needed, and end with this process, however that ends.
    """

    def __init__(
        self,
        count: int | None = None,
        say: Callable[[str], None] | None = None,
        console: Console | None = None,
    ) -> None:
        self.count = cores() if count is None else count
        if self.count < 1:
            raise InputError(f"{count} workers", expected="at least 1")
        self.console = console or Console(stderr=True)
        self.say = say or self._print
        self._all: list[_Worker] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for worker in self._all:
            worker.end(now=error is not None)
        self._all.clear()

    def run(self, jobs: Iterable[Job], title: str = "jobs", total: int | None = None) -> None:
        """Do the jobs whose folders are not there yet.

        jobs: read as workers become free, a few ahead, so that making them may be work itself.
        title, total: what the bar is called, and how many jobs there are where that is known.

        When jobs fail, the others are finished, and then the error of the first that failed (in
        the order given) is raised: a LigeroError or OSError as it was, RuntimeError with the
        worker's traceback for anything else.
        """
        if total is None and isinstance(jobs, list | tuple):
            total = len(jobs)
        failures: dict[int, Exception] = {}
        with self._bar(title, total) as done:
            go = self._alone if self.count == 1 else self._together
            go(enumerate(jobs), failures, done)
        if failures:
            if len(failures) > 1:
                self.say(f"{title}: {len(failures)} failed; this is the first")
            raise failures[min(failures)]

    def _alone(
        self, jobs: Iterator[tuple[int, Job]], failures: dict[int, Exception], done: "_Done"
    ) -> None:
        for number, job in jobs:
            if not runs.is_published(job.folder):
                error = _attempt(job)
                if error is not None:
                    failures[number] = error
            done()

    def _together(
        self, jobs: Iterator[tuple[int, Job]], failures: dict[int, Exception], done: "_Done"
    ) -> None:
        ahead: deque[_Task] = deque()
        more = True
        while True:
            if more and len(ahead) < self.count:
                more = self._pull(jobs, ahead, done)
            for worker in self._idle(len(ahead)):
                worker.begin(ahead.popleft())
            busy = [worker for worker in self._all if worker.task]
            if not busy and not ahead and not more:
                return
            # There is no waiting while jobs can still be made.
            pause = 0 if more and len(ahead) < self.count else None
            for worker in _ready(busy, pause):
                task, error = worker.finish()
                if error is DIED:
                    self._all.remove(worker)
                    error = self._bury(worker, task, ahead)
                    if error is None:
                        continue
                if error is not None:
                    failures[task.number] = error
                done()

    def _pull(self, jobs: Iterator[tuple[int, Job]], ahead: "deque[_Task]", done: "_Done") -> bool:
        """Put the next job that is not done yet into `ahead`; whether there may be more."""
        for number, job in jobs:
            if not runs.is_published(job.folder):
                ahead.append(_Task(number, job))
                return True
            done()
        return False

    def _idle(self, wanted: int) -> list["_Worker"]:
        """Up to `wanted` workers with nothing to do, new ones among them."""
        idle = [worker for worker in self._all if not worker.task]
        new = min(wanted - len(idle), self.count - len(self._all))
        with _threads(max(1, cores() // self.count)):
            for _ in range(new):
                idle.append(_Worker())
                self._all.append(idle[-1])
        return idle[:wanted]

    def _bury(self, worker: "_Worker", task: "_Task", ahead: "deque[_Task]") -> LigeroError | None:
        """Have the job of a dead worker done again; the error when this was its last attempt."""
        how = worker.ended_by()
        if task.attempt < ATTEMPTS:
            self.say(f"{task.job.folder.name}: its worker died ({how}); done again")
            ahead.appendleft(_Task(task.number, task.job, task.attempt + 1))
            return None
        return LigeroError(
            f"{task.job.folder}: its worker died {ATTEMPTS} times ({how}); is there enough memory? "
            "Fewer workers need less"
        )

    def _print(self, text: str) -> None:
        self.console.print(f"  {text}", highlight=False, markup=False, soft_wrap=True)

    @contextlib.contextmanager
    def _bar(self, title: str, total: int | None) -> Iterator["_Done"]:
        with bars(self.console) as shown:
            task = shown.add_task(title, total=total)
            yield lambda: shown.advance(task)


_Done = Callable[[], None]

DIED = LigeroError("the worker died")


@dataclass(frozen=True)
class _Task:
    """A job under way: its number in the order given, and how often it was begun."""

    number: int
    job: Job
    attempt: int = 1


class _Worker:
    """One process, the connection to it, and what it is doing."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, there = context.Pipe()
        self.process: BaseProcess = context.Process(target=_work, args=(there,), daemon=True)
        self.process.start()
        # Only the worker holds its end now: the connection breaks when it dies.
        there.close()
        self.task: _Task | None = None

    def begin(self, task: _Task) -> None:
        """Hand over a job."""
        self.task = task
        # A worker that is dead already is found out by `finish`.
        with contextlib.suppress(BrokenPipeError):
            self.connection.send(task.job)

    def finish(self) -> tuple[_Task, Exception | None]:
        """The job that ended, and its error; DIED when the worker is no more."""
        task, self.task = self.task, None
        assert task is not None
        try:
            return task, self.connection.recv()
        except (EOFError, ConnectionResetError):
            return task, DIED

    def ended_by(self) -> str:
        """What ended a dead worker, in words."""
        self.process.join()
        self.connection.close()
        code = self.process.exitcode or 0
        return f"exit code {code}" if code >= 0 else signal.Signals(-code).name

    def end(self, now: bool) -> None:
        """Let it end, or (`now`) leave its job undone."""
        self.connection.close()
        if now:
            self.process.terminate()
        self.process.join()


def _ready(busy: list[_Worker], pause: float | None) -> list[_Worker]:
    """Workers that have answered or died; waits for one unless `pause` is 0."""
    answered = multiprocessing.connection.wait([worker.connection for worker in busy], pause)
    return [worker for worker in busy if worker.connection in answered]


@contextlib.contextmanager
def _threads(count: int) -> Iterator[None]:
    """Let processes started now use `count` threads for each library, if nobody said otherwise."""
    added = [name for name in THREADS if name not in os.environ]
    os.environ.update(dict.fromkeys(added, str(count)))
    try:
        yield
    finally:
        for name in added:
            del os.environ[name]


def _work(connection: Connection) -> None:
    """A worker's life: a job, its outcome, the next job."""
    # An interrupt from the keyboard goes to all; the first process ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    while True:
        try:
            job = connection.recv()
        except EOFError:
            return
        connection.send(_attempt(job))


def _end_with_parent() -> None:
    """End at once when the first process was killed: the next one may already be at work here."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    multiprocessing.connection.wait([parent.sentinel])
    os._exit(1)


def _attempt(job: Job) -> Exception | None:
    """Do a job; its error in a form that can be sent to another process."""
    try:
        job.do()
    except (LigeroError, OSError) as error:
        return error
    except Exception:
        return RuntimeError(f"{job.function} for {job.folder} failed\n{traceback.format_exc()}")
    return None

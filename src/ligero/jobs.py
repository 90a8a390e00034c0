"""Many independent jobs on all cores of this machine; `cluster.py` does the same on many machines.

A job fills one folder and depends on nothing but its arguments. Its folder has its manifest last
(`runs.publish`, or `runs.Run` for work that can be continued), so that the manifest's presence means
that the job is done: a repeated run does what is missing, and how many workers there are changes
nothing in the outcome.
"""

import contextlib
import importlib
import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
import traceback
from abc import ABC, abstractmethod
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

# A job is given to another worker when its own one dies (killed, out of memory), up to so many: what
# kills four workers is the job. A training goes on where it was, and where processes are killed now and
# then a long one may well meet that twice.
ATTEMPTS = 4

# Libraries with threads of their own (polars, rensa and tokenizers, numpy) share the cores out.
THREADS = ("POLARS_MAX_THREADS", "RAYON_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")


@dataclass(frozen=True)
class Job:
    """What fills one folder: `function` ("package.module:name") called with a folder to write in
    and `arguments` (by keyword, plain values).

    grows: the function is given `folder` itself, goes on with what it finds there and leaves the
        manifest last, as `runs.Run` does: work of hours, which a death should not cost whole.
        Otherwise it fills a temporary folder, which is published when it returns.
    """

    folder: Path
    function: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    grows: bool = False

    def do(self) -> None:
        """Fill the folder and see it published, in this process."""
        module, _, name = self.function.partition(":")
        function: Callable[..., None] = getattr(importlib.import_module(module), name)
        if not self.grows:
            with runs.publish(self.folder) as folder:
                function(folder, **self.arguments)
            return
        function(self.folder, **self.arguments)
        if not runs.is_published(self.folder):
            raise RuntimeError(f"{self.function} returned and left no {runs.MANIFEST}")


@dataclass(eq=False)
class Task:
    """A job under way: its number in the order given, how often it was begun, and how often it was
    moved because its machine was lost."""

    number: int
    job: Job
    attempt: int = 1
    moves: int = 0


# Told of each job that ended, and its error.
Finished = Callable[[Job, Exception | None], None]


class Given:
    """Jobs as they are given: which are still to be done, and how each one ended."""

    def __init__(
        self, jobs: Iterable[Job], step: Callable[[], None], finished: Finished | None
    ) -> None:
        self._jobs = enumerate(jobs)
        self._step, self._finished = step, finished
        self.more = True
        self.failures: dict[int, Exception] = {}

    def pull(self) -> Task | None:
        """The next job whose folder is not there yet; None when there are no `more`."""
        for number, job in self._jobs:
            task = Task(number, job)
            if not runs.is_published(job.folder):
                return task
            self.end(task)
        self.more = False
        return None

    def end(self, task: Task, error: Exception | None = None) -> None:
        """A job is done, or given up with `error`. To be called once for each."""
        if error is not None:
            self.failures[task.number] = error
        self._step()
        if self._finished is not None:
            self._finished(task.job, error)


class Crew(ABC):
    """Whoever does jobs: `with Workers() as crew: crew.run(...)`, once or often.

    say: told what a person should know; lines on the standard error stream when None.
    """

    def __init__(
        self, say: Callable[[str], None] | None = None, console: Console | None = None
    ) -> None:
        self.console = console or Console(stderr=True)
        self.say = say or self._print

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end(broken=error is not None)

    def run(
        self,
        jobs: Iterable[Job],
        title: str = "jobs",
        total: int | None = None,
        *,
        eager: bool = True,
        quiet: bool = False,
        finished: Finished | None = None,
    ) -> None:
        """Do the jobs whose folders are not there yet.

        jobs: read as workers become free, a few ahead, so that making them may be work itself.
        title, total: what the bar is called, and how many jobs there are where that is known.
        eager: with False a job is read only when a worker is free for it, so that it may be chosen
            by what came of those before.
        quiet: no bar.
        finished: called here with each job when it has ended and its error, once: also with those
            that were done before.

        When jobs fail, the others are finished, and then the error of the first that failed (in
        the order given) is raised: a LigeroError or OSError as it was, RuntimeError with the
        worker's traceback for anything else.
        """
        if total is None and isinstance(jobs, list | tuple):
            total = len(jobs)
        with self._bar(title, total, quiet) as step:
            given = Given(jobs, step, finished)
            self._do(given, eager)
        if given.failures:
            if len(given.failures) > 1:
                self.say(f"{title}: {len(given.failures)} failed; this is the first")
            raise given.failures[min(given.failures)]

    @abstractmethod
    def _do(self, given: Given, eager: bool) -> None:
        """Pull every job that is given, and end it."""

    @abstractmethod
    def _end(self, broken: bool) -> None:
        """Let go of whoever does the jobs. broken: whether an error ends it, and nobody is waited for."""

    def _print(self, text: str) -> None:
        self.console.print(f"  {text}", highlight=False, markup=False, soft_wrap=True)

    @contextlib.contextmanager
    def _bar(self, title: str, total: int | None, quiet: bool) -> Iterator[Callable[[], None]]:
        if quiet:
            yield lambda: None
            return
        with bars(self.console) as shown:
            task = shown.add_task(title, total=total)
            yield lambda: shown.advance(task)


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


class Workers(Crew):
    """Processes of this machine that wait for jobs.

    count: processes; as many as there are cores when None. With 1, jobs are done in this process.

    Processes are spawned, not forked: polars' threads do not survive a fork. They are started when
    first needed, and end with this process, however that ends.
    """

    def __init__(
        self,
        count: int | None = None,
        say: Callable[[str], None] | None = None,
        console: Console | None = None,
    ) -> None:
        super().__init__(say, console)
        self.count = cores() if count is None else count
        if self.count < 1:
            raise InputError(f"{count} workers", expected="at least 1")
        self._all: list[_Worker] = []

    def _end(self, broken: bool) -> None:
        for worker in self._all:
            worker.end(now=broken)
        self._all.clear()

    def _do(self, given: Given, eager: bool) -> None:
        if self.count > 1:
            self._together(given, eager)
            return
        while task := given.pull():
            given.end(task, attempt(task.job))

    def _together(self, given: Given, eager: bool) -> None:
        ahead: deque[Task] = deque()
        while True:
            if self._wants(given, ahead, eager) and (task := given.pull()):
                ahead.append(task)
            for worker in self._idle(len(ahead)):
                worker.begin(ahead.popleft())
            busy = [worker for worker in self._all if worker.task]
            if not busy and not ahead and not given.more:
                return
            # There is no waiting while jobs can still be made.
            pause = 0 if self._wants(given, ahead, eager) else None
            for worker in _ready(busy, pause):
                task, error = worker.finish()
                if error is DIED:
                    self._all.remove(worker)
                    error = self._bury(worker, task, ahead)
                    if error is None:
                        continue
                given.end(task, error)

    def _wants(self, given: Given, ahead: deque[Task], eager: bool) -> bool:
        """Whether another job is to be read now."""
        busy = 0 if eager else sum(worker.task is not None for worker in self._all)
        return given.more and len(ahead) < self.count - busy

    def _idle(self, wanted: int) -> list["_Worker"]:
        """Up to `wanted` workers with nothing to do, new ones among them."""
        idle = [worker for worker in self._all if not worker.task]
        new = min(wanted - len(idle), self.count - len(self._all))
        threads = str(max(1, cores() // self.count))
        with environment(dict.fromkeys(THREADS, threads)):
            for _ in range(new):
                idle.append(_Worker())
                self._all.append(idle[-1])
        return idle[:wanted]

    def _bury(self, worker: "_Worker", task: Task, ahead: deque[Task]) -> LigeroError | None:
        """Have the job of a dead worker done again; the error when this was its last attempt."""
        how = worker.ended_by()
        if task.attempt < ATTEMPTS:
            self.say(f"{task.job.folder.name}: its worker died ({how}); done again")
            task.attempt += 1
            ahead.appendleft(task)
            return None
        return LigeroError(
            f"{task.job.folder}: its worker died {ATTEMPTS} times ({how}); is there enough memory? "
            "Fewer workers need less"
        )


DIED = LigeroError("the worker died")


class _Worker:
    """One process, the connection to it, and what it is doing."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, there = context.Pipe()
        self.process: BaseProcess = context.Process(target=_work, args=(there,), daemon=True)
        self.process.start()
        # Only the worker holds its end now: the connection breaks when it dies.
        there.close()
        self.task: Task | None = None

    def begin(self, task: Task) -> None:
        """Hand over a job."""
        self.task = task
        # A worker that is dead already is found out by `finish`.
        with contextlib.suppress(BrokenPipeError):
            self.connection.send(task.job)

    def finish(self) -> tuple[Task, Exception | None]:
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
def environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set variables for processes started meanwhile, but none that somebody set before."""
    added = {name: value for name, value in variables.items() if name not in os.environ}
    os.environ.update(added)
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
        connection.send(attempt(job))


def _end_with_parent() -> None:
    """End at once when the first process was killed: the next one may already be at work here."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    multiprocessing.connection.wait([parent.sentinel])
    os._exit(1)


def attempt(job: Job) -> Exception | None:
    """Do a job; its error in a form that can be sent to another process."""
    try:
        job.do()
    except (LigeroError, OSError) as error:
        return error
    except Exception:
        return RuntimeError(f"{job.function} for {job.folder} failed\n{traceback.format_exc()}")
    return None

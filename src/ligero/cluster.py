"""Many independent jobs on many machines: jobs as tasks of a Ray cluster.

What Ray says is not what counts: a job is done when its folder, which all machines see, has its
manifest, and this process looks there itself.
"""

import contextlib
import glob
import math
import os
import re
import shutil
import socket
import tempfile
import textwrap
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

from rich.console import Console

from ligero import __version__, flags, runs, store
from ligero.errors import BusyError, InputError, LigeroError
from ligero.jobs import (
    ATTEMPTS,
    THREADS,
    Crew,
    Given,
    Job,
    Task,
    Workers,
    attempt,
    cores,
    environment,
)

# The loss of a node is not the job's doing, up to a point. (Now and then Ray takes it for the death of a
# worker, of which there may be ATTEMPTS.)
MOVES = 10

# Tasks handed to Ray beyond those that the cluster can do at once.
AHEAD = 4

# Seconds: until an address must answer; between looks at what Ray does not report; for a network file
# system to show what another machine wrote; between attempts at a folder that a lost node has locked,
# and for how long: a file server gives up such a lock after a minute or two.
ANSWER, TICK, GRACE, PAUSE, LEASE = 10.0, 1.0, 30.0, 15.0, 600.0

# Ray sends no usage data, prints nothing, connects to nothing unasked, and does not try an address
# for a quarter of an hour.
QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0", "RAY_DEDUP_LOGS_SKIP_REGEX": ".", "RAY_ENABLE_AUTO_CONNECT": "0",
}  # fmt: skip
ONCE = {"RAY_gcs_server_port_wait_time_s": "1"}


def crew(
    workers: int | None,
    cluster: str | None,
    *,
    gpus: float = 0.0,
    cpus: float = 1.0,
    store: str | None = None,
    say: Callable[[str], None] | None = None,
    console: Console | None = None,
) -> Crew:
    """Whoever is to do jobs: the cluster at an address, or without one so many workers here."""
    if cluster is None:
        if gpus or store:
            raise InputError("--gpus or a store without a cluster", expected="--cluster ADDRESS")
        return Workers(workers, say, console)
    if (workers or 1) > 1:
        raise InputError("--workers and --cluster", expected="one of them")
    return Cluster(cluster, gpus=gpus, cpus=cpus, store=store, say=say, console=console)


class Cluster(Crew):
    """A Ray cluster that does jobs: `with Cluster("auto") as crew: crew.run(...)`, as `Workers`.

    address: "ray://HOST:PORT" from anywhere; "HOST:PORT" or "auto" on one of its machines; "local"
        for one on this machine alone, which lives as long as this object.
    gpus, cpus: what a job takes; of a GPU also a part. With no GPU it sees none.
    store: where jobs leave their folders when there is no place that all machines see, as a URL that
        fsspec knows. They are fetched from there. A job that grows then begins anew when it is moved.

    Each job is ended once: done, or given up. A lost machine or a killed worker costs the jobs it was
    doing, and those are begun again elsewhere by this process, not by Ray, since it looks first whether
    the folder is there after all. A machine may be lost and yet still be doing a job, if only the
    network between is gone. That does no harm: a folder is published by renaming one that is complete
    (`runs.publish`), so that of two the first or the second stands, whole; a run that grows is locked
    (`runs.Run`, on file systems that lock for all machines), and is begun again when the lock is
    free. If this process or the cluster's head is lost, the same command does what is missing.

    Machines need this version of ligero and of Ray. Jobs get the variables LIGERO_* of this process, and
    its working folder where there is one of that name; better are absolute paths.
    """

    def __init__(
        self,
        address: str,
        *,
        gpus: float = 0.0,
        cpus: float = 1.0,
        store: str | None = None,
        say: Callable[[str], None] | None = None,
        console: Console | None = None,
    ) -> None:
        super().__init__(say, console)
        if gpus < 0 or cpus < 0 or not gpus + cpus or (gpus > 1 and gpus % 1):
            raise InputError(
                f"a job that takes {cpus:g} processors and {gpus:g} GPUs",
                expected="some of either, and of GPUs a part of one or a whole number",
            )
        self.address, self.gpus, self.cpus = address, gpus, cpus
        self.store = store and store.rstrip("/")
        # The module, once it is known to be installed.
        self.ray: Any = None

    def __enter__(self) -> Self:
        flags.need(("ray",), "cluster")
        here = self.address == "local"
        if not here:
            _answers(self.address)
        own: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
        if here:
            own |= {"num_cpus": cores(), "include_dashboard": False}
            own |= {"object_store_memory": 100 << 20}  # nothing is kept there
        with environment(QUIET if here else QUIET | ONCE):
            import ray

            if ray.is_initialized():
                raise LigeroError("this process works with a Ray cluster already")
            try:
                _connect(ray, self.address, own)
            except Exception as error:
                raise _unreachable(self.address, _line(error)) from None
        self.ray = ray
        if here and not self.slots():
            ray.shutdown()
            raise LigeroError(f"this machine has no {self.room()}")
        return self

    def _end(self, broken: bool) -> None:
        # This ends what is still being done, too.
        self.ray.shutdown()

    def slots(self) -> int:
        """How many jobs the machines that are there now can do at once."""
        return sum(self._fit(node["Resources"]) for node in self.ray.nodes() if node["Alive"])

    def _fit(self, has: Mapping[str, float]) -> int:
        """How many jobs fit on a machine. A GPU's parts are of one GPU."""
        fits = []
        if self.cpus:
            fits.append(math.floor(has.get("CPU", 0) / self.cpus + 1e-6))
        if self.gpus:
            whole, part = max(1.0, self.gpus), min(1.0, self.gpus)
            fits.append(math.floor(has.get("GPU", 0) / whole) * math.floor(1 / part + 1e-6))
        return min(fits)

    def room(self) -> str:
        """What a job needs, in words."""
        return f"room for a job (CPU {self.cpus:g}, GPU {self.gpus:g})"

    def _do(self, given: Given, eager: bool) -> None:
        _Round(self, given, eager).go()


class _Round:
    """One `run` of a cluster: what is under way, and what was set aside to be looked at again."""

    def __init__(self, cluster: Cluster, given: Given, eager: bool) -> None:
        self._cluster, self._given, self._eager = cluster, given, eager
        self._ray = cluster.ray
        # Ray is not to begin a job again by itself.
        takes = {"num_cpus": cluster.cpus, "num_gpus": cluster.gpus}
        self._work = self._ray.remote(max_retries=0, **takes)(_work)
        variables = {k: v for k, v in os.environ.items() if k.startswith("LIGERO_")}
        variables |= dict.fromkeys(THREADS, str(max(1, math.floor(cluster.cpus))))
        self._setting = _Setting(__version__, Path.cwd(), variables, cluster.gpus)
        self._place = f"{cluster.store}/{uuid4().hex}" if cluster.store else None
        self._under_way: dict[Any, Task] = {}
        # Until when, and what then.
        self._aside: dict[Task, tuple[float, Callable[[], None]]] = {}
        self._locked: dict[Task, float] = {}
        self._slots, self._counted, self._told = 0, -math.inf, False

    def go(self) -> None:
        """Do all jobs."""
        try:
            while True:
                while self._room() > 0 and (task := self._given.pull()):
                    self._begin(task)
                if not self._under_way and not self._aside:
                    return
                for ref in self._ready():
                    self._judge(self._under_way.pop(ref), *self._outcome(ref))
                self._look_again()
        except Exception as error:
            if self._ray.is_initialized():
                raise
            # Nothing can be stopped any more.
            self._under_way.clear()
            raise LigeroError(
                f"{self._cluster.address}: lost the cluster ({_line(error)}); "
                "the same command does what is missing"
            ) from None
        finally:
            self._leave()

    def _room(self) -> int:
        """How many more tasks there may be now."""
        now = time.monotonic()
        if now - self._counted > TICK:
            self._slots, self._counted = self._cluster.slots(), now
            if not self._slots and not self._told:
                self._cluster.say(f"no machine has {self._cluster.room()}; waiting for one")
            self._told = not self._slots
        # Something is always wanted: a cluster may grow by what is.
        most = self._slots + AHEAD if self._eager else max(1, self._slots)
        return most - len(self._under_way)

    def _begin(self, task: Task) -> None:
        """Hand a job to Ray."""
        folder = task.job.folder.absolute()
        job = replace(task.job, folder=folder)
        if self._place:
            job = _Carried(folder, job.function, job.arguments, job.grows, self._url(task))
        work = self._work.options(name=folder.name)
        self._under_way[work.remote(job, self._setting)] = task

    def _ready(self) -> list[Any]:
        """Tasks that have ended; waits a moment for one."""
        pause = TICK / 5 if self._aside else TICK
        if not self._under_way:
            time.sleep(pause)
            return []
        refs = list(self._under_way)
        ended: list[Any] = self._ray.wait(refs, timeout=pause, fetch_local=False)[0]
        return ended

    def _outcome(self, ref: Any) -> tuple[str, Exception | None]:
        """Where a job was done, and its error, or what Ray says became of it."""
        try:
            host, error = self._ray.get(ref)
            return host, error
        except self._ray.exceptions.RayTaskError as error:
            return "", RuntimeError(f"not even begun on the cluster\n{error}")
        except self._ray.exceptions.RayError as error:
            return "", error

    def _judge(self, task: Task, host: str, error: Exception | None) -> None:
        """The folder has the first word on how a job ended, then its error."""
        if self._settled(task):
            return
        now = time.monotonic()
        if error is None:
            self._aside[task] = (now + GRACE, lambda: self._unseen(task, host))
        elif isinstance(error, self._ray.exceptions.RayError):
            self._again(task, error)
        elif isinstance(error, BusyError) and self._waits(task):
            self._aside[task] = (now + PAUSE, lambda: self._begin(task))
        else:
            self._end(task, error)

    def _settled(self, task: Task) -> bool:
        """End a job whose folder is here; whether it has ended."""
        try:
            if not self._arrived(task):
                return False
        except (LigeroError, OSError) as error:
            self._end(task, error)
        else:
            self._end(task)
        return True

    def _arrived(self, task: Task) -> bool:
        """Whether a job's folder is here; it is fetched where that is needed."""
        folder = task.job.folder
        if self._place and store.exists(self._url(task)):
            store.fetch(self._url(task), folder)
            store.remove(self._url(task))
        if not runs.is_published(folder):
            # Reading the folder makes a network file system ask what is new in it.
            with contextlib.suppress(OSError), os.scandir(folder.parent) as entries:
                next(entries, None)
        return runs.is_published(folder)

    def _again(self, task: Task, error: Exception) -> None:
        """Have a job done again whose worker or machine is gone, unless that came too often."""
        gone = self._ray.exceptions
        if isinstance(error, (gone.NodeDiedError, gone.LocalRayletDiedError)):
            task.moves += 1
            what = "machine was lost"
        else:
            task.attempt += 1
            what = f"worker died ({_line(error)})"
        if task.attempt > ATTEMPTS or task.moves > MOVES:
            often = f"given up after {task.attempt + task.moves - 1} attempts"
            told = f"{task.job.folder}: {often}, the last as its {what}; is there enough memory?"
            self._end(task, LigeroError(told))
            return
        self._cluster.say(f"{task.job.folder.name}: its {what}; done again")
        self._begin(task)

    def _waits(self, task: Task) -> bool:
        """Whether a locked folder is to be waited for: it was begun before, and not long ago."""
        now = time.monotonic()
        return task.attempt + task.moves > 1 and now - self._locked.setdefault(task, now) < LEASE

    def _look_again(self) -> None:
        for task, (until, then) in list(self._aside.items()):
            if self._settled(task):
                del self._aside[task]
            elif time.monotonic() > until:
                del self._aside[task]
                then()

    def _unseen(self, task: Task, host: str) -> None:
        """No job of that machine would ever be seen: better to stop at once."""
        raise LigeroError(
            f"{task.job.folder}: done on {host}, but not to be seen here; all machines must see "
            "this folder, or have a store for what they made"
        )

    def _end(self, task: Task, error: Exception | None = None) -> None:
        self._locked.pop(task, None)
        if task.attempt + task.moves > 1:
            # What a dead worker left half-filled is swept by nobody else.
            folder = task.job.folder
            for path in folder.parent.glob(f".{glob.escape(folder.name)}~*.tmp"):
                shutil.rmtree(path, ignore_errors=True)
        self._given.end(task, error)

    def _leave(self) -> None:
        """Stop what is under way, after an error, and clear the store."""
        for ref in self._under_way:
            with contextlib.suppress(Exception):
                self._ray.cancel(ref, force=True)
        if self._place:
            with contextlib.suppress(Exception):
                store.remove(self._place)

    def _url(self, task: Task) -> str:
        """Where an attempt leaves its folder: two never share a place, so neither spoils the other."""
        return f"{self._place}/{task.number}-{task.attempt}-{task.moves}"


@dataclass(frozen=True)
class _Carried(Job):
    """A job done in a folder of its machine, which is then pushed to `url`."""

    url: str = ""

    def do(self) -> None:
        """Fill the folder and push it."""
        with tempfile.TemporaryDirectory(prefix="ligero-") as place:
            folder = Path(place) / self.folder.name
            Job(folder, self.function, self.arguments, self.grows).do()
            store.push(folder, self.url)


@dataclass(frozen=True)
class _Setting:
    """What a job finds around it elsewhere, as it would here. gpus: none are seen where it is 0."""

    version: str
    place: Path
    variables: Mapping[str, str]
    gpus: float


def _work(job: Job, setting: _Setting) -> tuple[str, Exception | None]:
    """On some machine: do a job. That machine's name, and the job's error."""
    host = socket.gethostname()
    if setting.version != __version__:
        told = f"{host} has ligero {__version__}, and what gives out jobs {setting.version}"
        return host, LigeroError(told)
    for name, value in setting.variables.items():
        os.environ.setdefault(name, value)
    if not setting.gpus:
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    with contextlib.suppress(OSError):
        os.chdir(setting.place)
    return host, attempt(job)


def _answers(address: str) -> None:
    """LigeroError where nobody answers at an address, which Ray would try for long."""
    if address == "auto" and (address := os.environ.get("RAY_ADDRESS", "auto")) == "auto":
        return
    found = re.fullmatch(r"(?:ray://)?\[?([^/]+?)\]?:(\d+)", address)
    if not found:
        raise InputError(f"cluster {address!r}", expected="ray://HOST:PORT, auto or local")
    try:
        socket.create_connection((found[1], int(found[2])), ANSWER).close()
    except OSError as error:
        raise _unreachable(address, error.strerror or str(error)) from None


def _connect(ray: Any, address: str, own: Mapping[str, Any]) -> None:
    try:
        ray.init(address, **own)
    except ConnectionError as error:
        # Once in fifteen times Ray's server for clients from elsewhere dies as it starts
        # (ray-project/ray, issue 63202).
        if "Initialization failure from server" not in str(error):
            raise
        ray.init(address, **own)


def _unreachable(address: str, why: str) -> LigeroError:
    return LigeroError(f"no Ray cluster at {address} ({why})")


def _line(error: Exception) -> str:
    """The first line of what an error says."""
    text = (str(error) or type(error).__name__).splitlines()[0]
    return textwrap.shorten(text, 240, placeholder=" …")

"""The worker processes: started, fed, watched, and started again when one dies or hangs."""

import asyncio
import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, cast

from ligero.errors import LigeroError
from ligero.serve import wire
from ligero.serve.messages import RefusedError
from ligero.serve.metrics import Metrics
from ligero.serve.models import Model
from ligero.serve.waiting import Ask, Job, Waiting

# Starts in a row that may fail before the server gives up, and seconds before another where the system
# gave no process or socket for it, or twice as many after the second.
STARTS, AGAIN = 3, 1.0
# Seconds in which a worker must have loaded all models, and in which one that was told must have ended.
LOADING, ENDING = 600.0, 1.0


class Pool:
    """Workers, each with all models, and the lines of texts that wait for them.

    failed: the error for which no worker can be started, once there is one; `give_up` is called then.
    """

    def __init__(
        self, models: Mapping[str, Model], waiting: Waiting, metrics: Metrics, *,
        workers: int, threads: int, warm: bool, seconds: float, wait: float,
        give_up: Callable[[], None],
    ) -> None:  # fmt: skip
        """seconds: in which a batch must be read. wait: that a batch is kept open for more texts."""
        self.waiting, self.metrics = waiting, metrics
        self.seconds, self._wait = seconds, wait
        folders = {name: str(model.folder) for name, model in models.items()}
        self.order = {"folders": folders, "threads": threads, "warm": warm, "batch": waiting.most}
        self.failed: LigeroError | None = None
        self._give_up = give_up
        self.count = workers
        self.workers: set[Worker] = set()
        self._idle: list[Worker] = []
        self._failures = 0
        self._closing = False
        self._later: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def ready(self) -> int:
        """Workers that have loaded their models."""
        return sum(worker.ready for worker in self.workers)

    @property
    def busy(self) -> bool:
        """Whether any text waits or is being read."""
        return bool(self.waiting) or any(worker.batch for worker in self.workers)

    async def start(self) -> None:
        """Start all workers; they load at the same time."""
        for _ in range(self.count):
            await self._start()

    async def ask(self, ask: Ask) -> list[Any]:
        """What is found in a request's texts; RefusedError where its line is full or its time is up.

        What waits still is withdrawn when this ends, and when it is cancelled.
        """
        self.waiting.add(ask)
        late = RefusedError(504, "no answer in time")
        timer = asyncio.get_running_loop().call_at(ask.deadline, ask.fail, late)
        self._dispatch()
        try:
            return await ask.done
        finally:
            timer.cancel()
            self.waiting.withdraw(ask)

    async def close(self) -> None:
        """End all workers: their sockets are closed, and those that do not mind are killed.

        Whose texts wait, or are being read, is told so.
        """
        self._closing = True
        self.waiting.dismiss()
        workers = list(self.workers)
        for worker in workers:
            worker.transport.close()
        await asyncio.gather(*(self._reap(worker) for worker in workers))

    # What workers call.

    def free(self, worker: "Worker", found: list[Any] | None) -> None:
        """Take what a worker found in the first texts of its batch, or that it is ready; give it the next
        batch when this one is through."""
        if found is None:
            self._failures = 0
        else:
            batch, worker.batch = worker.batch[: len(found)], worker.batch[len(found) :]
            self.waiting.measured(batch, self._spent(worker), crowded=worker.crowded)
            for job, one in zip(batch, found, strict=True):
                job.ask.answer(job.place, one)
            if worker.batch:
                worker.expect(self.seconds)
                return
        self._idle.append(worker)
        self._dispatch()

    def lost(self, worker: "Worker", why: str) -> None:
        """Tell those whose texts a dead worker held, and start another one."""
        self.workers.discard(worker)
        if worker in self._idle:
            self._idle.remove(worker)
        if worker.batch:
            self.waiting.lines[worker.batch[0].ask.model].used += self._spent(worker)
        for job in worker.batch:
            job.ask.fail(self.waiting.refusal(503, "the process that read this text ended"))
        worker.batch = []
        if self._closing:
            return
        self._spawn(self._reap(worker))
        if not worker.ready:
            self._failed(why)
        if not self.failed:
            self.metrics.restarts += 1
            self._spawn(self._start())

    async def _start(self) -> None:
        """Start a worker; where the system has no process or socket for it, try again after a while."""
        while not (self._closing or self.failed):
            try:
                await self._started()
                return
            except OSError as error:
                self._failed(str(error))
            if not self.failed:
                await asyncio.sleep(AGAIN * self._failures)

    async def _started(self) -> None:
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                process = subprocess.Popen(
                    [sys.executable, "-m", "ligero.serve.worker", str(theirs.fileno())],
                    stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()],
                )  # fmt: skip
            loop = asyncio.get_running_loop()
            _, worker = await loop.create_unix_connection(lambda: Worker(self, process), sock=ours)
        except OSError:
            ours.close()  # a process at its other end then ends, too
            raise
        if self._closing:
            worker.transport.close()
            await self._reap(worker)

    def _spent(self, worker: "Worker") -> float:
        """What a worker took of all workers' time since it was last heard of, in seconds."""
        now = time.monotonic()
        seconds, worker.since = (now - worker.since) / self.count, now
        return seconds

    def _failed(self, why: str) -> None:
        """Count a worker that did not start, and give up where it is one too many."""
        self._failures += 1
        if self._failures >= STARTS:
            self.failed = LigeroError(f"no worker could start, {STARTS} times in a row: {why}")
            self._give_up()

    async def _reap(self, worker: "Worker") -> None:
        """Wait for a process whose socket is closed, and kill it if it stays."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            await asyncio.to_thread(worker.process.wait, ENDING)
            return
        worker.process.kill()
        await asyncio.to_thread(worker.process.wait)

    def _dispatch(self) -> None:
        """Give what waits to the workers that are free."""
        while self._idle:
            at = self.waiting.ready_at(self._wait) if self._wait else None
            if at is not None and at > time.monotonic():
                self._in(at - time.monotonic())
                return
            taken = self.waiting.take()
            if taken is None:
                return
            model, batch = taken
            self.metrics.batches[model].add(len(batch))
            self._idle.pop().give(model, batch, crowded=self.waiting.lines[model].size > 0)

    def _in(self, seconds: float) -> None:
        if self._later:
            self._later.cancel()
        self._later = asyncio.get_running_loop().call_later(seconds, self._dispatch)

    def _spawn(self, work: Any) -> None:
        # The loop itself holds its tasks weakly.
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class Worker(asyncio.Protocol):
    """The server's end of one worker.

    batch: what it has yet to read. since: from when, by time.monotonic. crowded: whether others of its
    model waited on.
    """

    def __init__(self, pool: Pool, process: "subprocess.Popen[bytes]") -> None:
        self._pool, self.process = pool, process
        self.ready = False
        self.batch: list[Job] = []
        self.since, self.crowded = 0.0, False
        self._why = ""
        self._unpacker = wire.Unpacker()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Say what is to be loaded."""
        self.transport = cast(asyncio.Transport, transport)
        self._pool.workers.add(self)
        order = self._pool.order
        if self._pool.metrics.restarts and not self._pool.ready:
            # Everyone waits for it: what it has not met it meets when it is asked for.
            order = {**order, "warm": False}
        self.transport.write(wire.pack(order))
        self.expect(LOADING)

    def data_received(self, data: bytes) -> None:
        """Take what it says."""
        for message in self._unpacker.feed(data):
            self._timer.cancel()
            if isinstance(message, list):
                self._pool.free(self, message)
            elif "failed" in message:
                self._why = message["failed"]
            else:
                self.ready = True
                self._pool.free(self, None)

    def connection_lost(self, error: Exception | None) -> None:
        """It ended, or was ended."""
        self._timer.cancel()
        self._pool.lost(self, self._why or "it ended while it loaded the models")

    def give(self, model: str, batch: list[Job], *, crowded: bool) -> None:
        """Have a batch read."""
        self.batch, self.since, self.crowded = batch, time.monotonic(), crowded
        texts, seconds = zip(*(job.texts for job in batch), strict=True)
        self.transport.write(wire.pack({"model": model, "texts": texts, "seconds": seconds}))
        self.expect(self._pool.seconds)

    def expect(self, seconds: float) -> None:
        """Kill it if it says nothing for so long; its socket then closes."""
        self._timer = asyncio.get_running_loop().call_later(seconds, self.process.kill)

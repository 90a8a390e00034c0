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
from ligero.serve.http import RefusedError
from ligero.serve.metrics import Metrics
from ligero.serve.models import Model
from ligero.serve.waiting import Ask, Job, Waiting

# Starts in a row that may fail before the server gives up.
STARTS = 3
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
            if ask.numbers:
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
        """Take what a worker found in its batch, or that it is ready, and give it the next one."""
        if found is None:
            self._failures = 0
        else:
            batch, worker.batch = worker.batch, []
            seconds = (time.monotonic() - worker.since) / self.count
            self.waiting.measured(batch[0].ask.model, len(batch), seconds, crowded=worker.crowded)
            for job, one in zip(batch, found, strict=True):
                job.ask.answer(job.place, one)
        self._idle.append(worker)
        self._dispatch()

    def lost(self, worker: "Worker", why: str) -> None:
        """Tell those whose texts a dead worker held, and start another one."""
        self.workers.discard(worker)
        if worker in self._idle:
            self._idle.remove(worker)
        for job in worker.batch:
            job.ask.fail(self.waiting.refusal(503, "the process that read this text ended"))
        worker.batch = []
        if self._closing:
            return
        self._failures += not worker.ready
        if self._failures >= STARTS:
            self.failed = LigeroError(f"no worker could start, {STARTS} times in a row: {why}")
            self._give_up()
            return
        self.metrics.restarts += 1
        self._spawn(self._reap(worker))
        self._spawn(self._start())

    async def _start(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            process = subprocess.Popen(
                [sys.executable, "-m", "ligero.serve.worker", str(theirs.fileno())],
                stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()],
            )  # fmt: skip
        loop = asyncio.get_running_loop()
        _, worker = await loop.create_unix_connection(lambda: Worker(self, process), sock=ours)
        if self._closing:
            worker.transport.close()
            await self._reap(worker)

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

    batch: what it reads. since: from when, by time.monotonic. crowded: whether others of its model
    waited on.
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
        self._expect(LOADING)

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
        self._expect(self._pool.seconds)

    def _expect(self, seconds: float) -> None:
        """Kill it if it says nothing for so long; its socket then closes."""
        self._timer = asyncio.get_running_loop().call_later(seconds, self.process.kill)

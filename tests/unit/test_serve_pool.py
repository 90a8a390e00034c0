"""The server's side of its workers, without any: starts that fail, and answers in pieces."""

import asyncio
import errno
import os
import socket
from types import SimpleNamespace

import pytest

from ligero.serve import pool, wire
from ligero.serve.metrics import Metrics
from ligero.serve.waiting import Ask, Waiting


class Processes:
    """In the place of subprocess.Popen: keeps the socket that a worker would have.

    errors: raised by the first starts, None for one that succeeds; after them all do.
    """

    def __init__(self, *errors):
        self.errors, self.started, self.killed = list(errors), [], 0

    def __call__(self, words, *, pass_fds, **rest):
        error = self.errors.pop(0) if self.errors else None
        if error is not None:
            raise OSError(error, os.strerror(error))
        self.started.append(socket.socket(fileno=os.dup(pass_fds[0])))
        return SimpleNamespace(wait=lambda *_: 0, kill=self._kill)

    def _kill(self):
        self.killed += 1

    def say(self, message, which=-1):
        self.started[which].sendall(wire.pack(message))


@pytest.fixture
def pairs(monkeypatch):
    """The server's ends of all socket pairs that were made."""
    made, make = [], socket.socketpair

    def both():
        made.append(make())
        return made[-1]

    monkeypatch.setattr(pool, "socket", SimpleNamespace(socketpair=both))
    return made


def pooled(monkeypatch, processes, test, workers=1):
    """Run a test with a pool whose workers are those processes."""
    monkeypatch.setattr(pool.subprocess, "Popen", processes)
    monkeypatch.setattr(pool, "AGAIN", 0.001)
    monkeypatch.setattr(pool, "ENDING", 0.0)

    async def run():
        gave_up = []
        one = pool.Pool(
            {}, Waiting(["tag"], 256, 16), Metrics(["tag"]), workers=workers, threads=1,
            warm=False, seconds=60.0, wait=0.0, give_up=lambda: gave_up.append(one.failed),
        )  # fmt: skip
        try:
            async with asyncio.timeout(20):
                await test(one, gave_up)
        finally:
            await one.close()
            for line in processes.started:
                line.close()

    asyncio.run(run())


async def until(done):
    while not done():
        await asyncio.sleep(0.001)


def open_ends(pairs):
    return sum(end.fileno() >= 0 for pair in pairs for end in pair)


@pytest.mark.parametrize("error", [errno.EMFILE, errno.EAGAIN])
def test_a_start_that_the_system_refuses_is_tried_again(monkeypatch, pairs, error):
    processes = Processes(None, error, error)

    async def check(one, gave_up):
        await one.start()
        processes.say({"ready": 1})
        await until(lambda: one.ready == 1)
        processes.started[0].close()  # the worker is gone, and there is no other at first
        await until(lambda: len(processes.started) == 2)
        processes.say({"ready": 2})
        await until(lambda: one.ready == 1)
        assert len(pairs) == 4 and open_ends(pairs) == 1
        assert not gave_up and not one.failed and one.metrics.restarts == 1
        # What failed before counts no more.
        processes.errors = [error, error]
        processes.started[1].close()
        await until(lambda: len(processes.started) == 3)
        assert not gave_up

    pooled(monkeypatch, processes, check)


def test_no_socket_is_as_no_process(monkeypatch):
    processes, make = Processes(), socket.socketpair
    errors = [OSError(errno.EMFILE, "Too many open files")]

    def both():
        if errors:
            raise errors.pop()
        return make()

    monkeypatch.setattr(pool, "socket", SimpleNamespace(socketpair=both))

    async def check(one, gave_up):
        await one.start()
        assert len(processes.started) == 1 and not gave_up

    pooled(monkeypatch, processes, check)


def test_three_starts_in_a_row_that_the_system_refuses_are_the_end(monkeypatch, pairs):
    processes = Processes(*[errno.EAGAIN] * 9)

    async def check(one, gave_up):
        await one.start()
        assert gave_up == [one.failed] and len(processes.errors) == 6
        assert "no worker could start, 3 times in a row" in str(one.failed)
        assert os.strerror(errno.EAGAIN) in str(one.failed)
        assert open_ends(pairs) == 0

    pooled(monkeypatch, processes, check, workers=2)


def test_an_answer_may_come_in_pieces(monkeypatch):
    processes = Processes()

    async def check(one, gave_up):
        await one.start()
        processes.say({"ready": 1})
        await until(lambda: one.ready == 1)
        (worker,) = one.workers
        now = asyncio.get_running_loop().time()
        asked = asyncio.ensure_future(
            one.ask(Ask("tag", [(text, None) for text in "abc"], now + 100))
        )
        later = asyncio.ensure_future(one.ask(Ask("tag", [("d", None)], now + 100)))
        await until(lambda: worker.batch)
        first = worker._timer
        processes.say([["A"]])
        await until(lambda: len(worker.batch) == 2)
        # It has as long again for the next one, and nothing else to do before it.
        assert first.cancelled() and worker._timer.when() > first.when()
        assert not asked.done() and one.waiting.lines["tag"].size == 1
        processes.say([["B"]])
        processes.say(["no text"])
        with pytest.raises(pool.RefusedError, match="no text"):
            await asked
        processes.say([["D"]])
        assert await later == [["D"]]
        assert not worker.batch

    pooled(monkeypatch, processes, check)


def test_a_worker_that_dies_between_two_pieces_fails_what_is_left(monkeypatch):
    processes = Processes()

    async def check(one, gave_up):
        await one.start()
        processes.say({"ready": 1})
        await until(lambda: one.ready == 1)
        (worker,) = one.workers
        now = asyncio.get_running_loop().time()
        asks = [Ask("tag", [(text, None)], now + 100) for text in "ab"]
        one._idle.clear()  # so that both are one batch
        tasks = [asyncio.ensure_future(one.ask(ask)) for ask in asks]
        await until(lambda: one.waiting.lines["tag"].size == 2)
        one._idle.append(worker)
        one._dispatch()
        processes.say([["A"]])
        assert await tasks[0] == [["A"]]
        used = one.waiting.lines["tag"].used
        processes.started[0].close()
        with pytest.raises(pool.RefusedError, match="ended") as refused:
            await tasks[1]
        assert refused.value.status == 503
        # Its time is the model's, though nothing came of it.
        assert one.waiting.lines["tag"].used > used

    pooled(monkeypatch, processes, check)


@pytest.mark.parametrize(("restarts", "ready", "warm"), [(0, 0, True), (1, 0, False), (1, 1, True)])
def test_a_worker_that_everyone_waits_for_does_not_warm_itself_first(restarts, ready, warm):
    told = []

    async def check():
        server = SimpleNamespace(
            order={"folders": {}, "threads": 1, "warm": True, "batch": 16}, workers=set(),
            metrics=SimpleNamespace(restarts=restarts), ready=ready,
        )  # fmt: skip
        worker = pool.Worker(server, SimpleNamespace(kill=None))
        worker.connection_made(SimpleNamespace(write=told.append))
        worker._timer.cancel()
        assert server.order["warm"]

    asyncio.run(check())
    (order,) = wire.Unpacker().feed(told[0])
    assert order["warm"] is warm

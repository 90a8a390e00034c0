"""A client that asks an HTTP server as often as it is told, in a process of its own.

    load.offer(Order(url, bodies, seconds=10, connections=16))              # closed loop
    load.offer(Order(url, bodies, seconds=60, connections=400, rate=8000))  # open loop

Closed: each connection asks again once it has its answer. Open: requests are due at times drawn in
advance (a Poisson process of the given rate), whatever the server does, and each is timed from when it
was due, so that a server that makes its clients wait cannot hide it. Where all connections are busy what
is due waits for one, and that counts too.
"""

import asyncio
import json
import random
import subprocess
import sys
import time
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, cast
from urllib.parse import urlsplit

import uvloop

# Seconds for answers that are still on their way when the time is up.
LAST = 15.0


@dataclass(frozen=True)
class Order:
    """What to ask: each of `bodies` in turn, as JSON, at `url`.

    rate: requests a second that are due, or None for a closed loop. after: seconds before the first.
    """

    url: str
    bodies: Sequence[str]
    seconds: float
    connections: int
    rate: float | None = None
    seed: int = 0
    after: float = 0.0


def offer(order: Order) -> dict[str, Any]:
    """What came of an order, as `summary` has it, and when the last request was due, by time.time."""
    return finished(begin(order))


def begin(order: Order) -> "subprocess.Popen[str]":
    """A process that carries an order out. The address in it may be told to others meanwhile."""
    process = subprocess.Popen(
        [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps(asdict(order)))
    process.stdin.close()
    process.stdin = None
    return process


def finished(process: "subprocess.Popen[str]") -> dict[str, Any]:
    """What such a process found out, once it has."""
    said, _ = process.communicate()
    if process.returncode:
        raise RuntimeError(f"the client ended with exit code {process.returncode}")
    found: dict[str, Any] = json.loads(said)
    return found


class Load:
    """All connections of one order. answers: (status, when due, seconds), 0 for one that broke."""

    def __init__(self, order: Order) -> None:
        place = urlsplit(order.url)
        self.order, self.host, self.port = order, place.hostname or "", place.port or 80
        head = (
            f"POST {place.path or '/'} HTTP/1.1\r\nhost: {place.netloc}\r\n"
            "content-type: application/json\r\ncontent-length: "
        )
        encoded = [body.encode() for body in order.bodies]
        self.requests = [f"{head}{len(b)}\r\n\r\n".encode() + b for b in encoded]
        self.next = 0
        self.idle: deque[Line] = deque()
        self.due: deque[float] = deque()
        self.busy = 0
        self.answers: list[tuple[int, float, float]] = []
        self.behind: list[float] = []
        self.over = False

    async def run(self) -> dict[str, Any]:
        """Ask, and wait for the last answers."""
        await asyncio.sleep(self.order.after)
        await asyncio.gather(*(self.open() for _ in range(self.order.connections)))
        self.began, busy = time.perf_counter(), time.process_time()
        if self.order.rate is None:
            while self.idle:
                self.ask(time.perf_counter())
            await asyncio.sleep(self.order.seconds)
        else:
            await self._as_due(self.order.rate)
        taken = time.perf_counter() - self.began
        used, ended = time.process_time() - busy, time.time()
        self.over = True
        end = time.perf_counter() + LAST
        while (self.busy or self.due) and time.perf_counter() < end:
            await asyncio.sleep(0.01)
        lost = [(0, due, LAST) for due in self.due] + [(0, 0.0, LAST)] * self.busy
        found = summary(self.answers + lost, self.behind, self.began, taken, used / taken)
        return {**found, "ended": ended}

    async def open(self) -> None:
        """One more connection."""
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: Line(self), self.host, self.port)

    def ask(self, due: float) -> None:
        """Send the next request, which is due by now, on a connection that is idle."""
        line = self.idle.popleft()
        line.due = due
        self.busy += 1
        request = self.requests[self.next]
        self.next = (self.next + 1) % len(self.requests)
        line.transport.write(request)

    def answered(self, line: "Line", status: int) -> None:
        """Note an answer, and ask again where the loop is closed or something is due."""
        self.busy -= 1
        now = time.perf_counter()
        self.answers.append((status, line.due, now - line.due))
        if status:
            self.idle.append(line)
            if self.due:
                self.ask(self.due.popleft())
            elif self.order.rate is None and not self.over:
                self.ask(now)

    async def _as_due(self, rate: float) -> None:
        chance = random.Random(self.order.seed)
        at, end = self.began, self.began + self.order.seconds
        while (now := time.perf_counter()) < end:
            while at <= now:
                if self.idle and not self.due:
                    self.behind.append(now - at)
                    self.ask(at)
                else:
                    self.due.append(at)
                at += chance.expovariate(rate)
            await asyncio.sleep(max(0.0005, min(at, end) - time.perf_counter()))


class Line(asyncio.Protocol):
    """One connection, with one request at a time. due: when its request was."""

    def __init__(self, load: Load) -> None:
        self.load, self.due, self.held = load, 0.0, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It may be used."""
        self.transport = cast(asyncio.Transport, transport)
        self.load.idle.append(self)

    def data_received(self, data: bytes) -> None:
        """An answer, or part of one: the servers say how long each is."""
        data = self.held + data
        head = data.find(b"\r\n\r\n")
        if head >= 0:
            at = data.find(b"content-length: ", 0, head) + 16
            if len(data) - head - 4 >= int(data[at : data.find(b"\r", at)]):
                self.held = b""
                if b"connection: close" in data[:head].lower():
                    self.due_status = int(data[9:12])
                    self.transport.close()
                    return
                self.load.answered(self, int(data[9:12]))
                return
        self.held = data

    def connection_lost(self, error: Exception | None) -> None:
        """The server hung up: with its answer, or without one. Another connection takes its place."""
        load = self.load
        if self in load.idle:
            load.idle.remove(self)
        else:
            load.busy -= 1
            status = getattr(self, "due_status", 0)
            load.answers.append((status, self.due, time.perf_counter() - self.due))
        if not load.over:
            asyncio.get_running_loop().create_task(self._again())

    async def _again(self) -> None:
        load = self.load
        try:
            await load.open()
        except OSError:
            return
        if load.due:
            load.ask(load.due.popleft())
        elif load.order.rate is None and not load.over and load.idle:
            load.ask(time.perf_counter())


def summary(
    answers: Sequence[tuple[int, float, float]], behind: Sequence[float], began: float,
    seconds: float, used: float,
) -> dict[str, Any]:  # fmt: skip
    """statuses: how many of each; percentiles of milliseconds by status; answers in each second.

    used: processors that the client itself kept busy. behind_ms: how late it was with what was due.
    """
    statuses = Counter(str(status) for status, _, _ in answers)
    good = Counter(int(due + took - began) for status, due, took in answers if status == 200)
    in_time = sum(due + took - began <= seconds for s, due, took in answers if s == 200)
    return {
        "seconds": round(seconds, 3),
        "statuses": dict(sorted(statuses.items())),
        "per_second": round(in_time / seconds, 1),
        "offered_per_second": round(len(answers) / seconds, 1),
        "ms": {
            status: percentiles([took for s, _, took in answers if str(s) == status])
            for status in sorted(statuses)
        },
        "answers_of_seconds": [good[n] for n in range(int(seconds) + 1)],
        "client_cores": round(used, 3),
        "behind_ms": percentiles(behind) if behind else None,
    }


def percentiles(values: Sequence[float]) -> dict[str, float]:
    """p50, p99 and the greatest, in milliseconds."""
    ordered = sorted(values)
    at = {"p50": 0.5, "p99": 0.99, "max": 1.0}
    return {
        name: round(1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))], 3)
        for name, share in at.items()
    }


def main() -> None:
    """Carry out the order on the standard input."""
    order = Order(**json.loads(sys.stdin.read()))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(json.dumps(runner.run(Load(order).run())))


if __name__ == "__main__":
    main()

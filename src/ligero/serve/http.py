"""HTTP/1.1 over asyncio: httptools (Node's parser) reads, this file keeps time and counts bytes.

Whatever a client sends, it gets a JSON answer or is hung up on; nothing is held without a limit.
"""

import asyncio
import json
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from typing import Any, cast

import httptools

# Bytes of a request's line and headers.
HEAD = 16_384
# Bytes of bodies that all connections hold together.
BODIES = 1 << 26
# Seconds for which a refused client is listened to: hung up on at once, it might miss the answer.
LINGER = 1.0

Headers = Mapping[str, str]


class RefusedError(Exception):
    """What a client is told instead of an answer: a status and one line."""

    def __init__(self, status: int, message: str, headers: Headers | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.headers = status, message, dict(headers or {})


@dataclass(frozen=True, slots=True)
class Request:
    """A whole request. headers: by name in lower case. since: when it began, by time.perf_counter."""

    method: str
    path: str
    headers: Headers
    body: bytes
    since: float
    keep_alive: bool


@dataclass(frozen=True, slots=True)
class Response:
    """What goes back. body: as bytes, already encoded."""

    status: int
    body: bytes
    kind: str = "application/json"
    headers: Headers = field(default_factory=dict)
    close: bool = False


def as_json(value: Any, status: int = 200, headers: Headers | None = None) -> Response:
    """A value as a response."""
    content = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    # Half a surrogate pair can come from a client alone, and goes back as "?".
    return Response(status, content.encode(errors="replace"), headers=headers or {})


def refusal(error: RefusedError, *, close: bool = False) -> Response:
    """An error as a response."""
    told = as_json({"error": error.message}, error.status, error.headers)
    return Response(told.status, told.body, headers=told.headers, close=close)


Answer = Callable[[Request], Awaitable[Response]]


@dataclass
class Limits:
    """connections: at once. body: bytes. read: seconds for a whole request. idle: between two."""

    connections: int
    body: int
    read: float
    idle: float


class Listener:
    """What all connections share. refused: told of every answer that never reached `answer`."""

    def __init__(self, answer: Answer, limits: Limits, refused: Callable[[int], None]) -> None:
        self.answer, self.limits, self.refused = answer, limits, refused
        self.connections: set[Connection] = set()
        self.bytes = 0

    def connection(self) -> "Connection":
        """A protocol for one client (asyncio's factory)."""
        return Connection(self)

    def close(self) -> None:
        """Hang up on every client that no answer is on its way to."""
        for connection in list(self.connections):
            connection.shut()


class Connection(asyncio.Protocol):
    """One client: requests are read, answered in their order, and timed."""

    def __init__(self, listener: Listener) -> None:
        self._all = listener
        self._parser = httptools.HttpRequestParser(self)
        self._loop = asyncio.get_running_loop()
        self._next: deque[Request] = deque()
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._slow: asyncio.TimerHandle | None = None
        self._deaf = self._closing = False
        self._fault: RefusedError | None = None
        self._begin()

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take a client, or send it away where there are too many."""
        self._transport = cast(asyncio.Transport, transport)
        connections, most = self._all.connections, self._all.limits.connections
        connections.add(self)
        if len(connections) > 2 * most:
            self._transport.abort()  # so many are being sent away that there is no time to be polite
        elif len(connections) > most:
            self._refuse(RefusedError(429, "too many connections", {"retry-after": "1"}))
        else:
            self._time(self._all.limits.idle, self._expire)

    def connection_lost(self, error: Exception | None) -> None:
        """Drop what the client asked for."""
        self._all.connections.discard(self)
        self._forget_body()
        self._deaf = True
        for timer in (self._timer, self._slow):
            if timer:
                timer.cancel()
        if self._task:
            self._task.cancel()

    def data_received(self, data: bytes) -> None:
        """Read on."""
        if self._deaf:
            return
        if not self._reading and self._task is None:
            self._time(self._all.limits.read, self._expire)
        began_before = self._in_head
        try:
            if self._left:
                self._read_on(data)
            else:
                self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as offer:
            self._closing = True
            self._read_on(data[offer.args[0] :])
        except httptools.HttpParserError:
            self._fault = self._fault or RefusedError(400, "not HTTP/1.1")
        if began_before and self._in_head:
            self._head += len(data)
            self._check_head()
        if self._fault:
            self._refuse(self._fault)
        elif self._next:
            self._transport.pause_reading()  # one that waits behind the one in work is enough

    def pause_writing(self) -> None:
        """A client that does not read its answer is given as long as one that does not write."""
        self._slow = self._loop.call_later(self._all.limits.read, self._transport.abort)

    def resume_writing(self) -> None:
        """It has read on."""
        if self._slow:
            self._slow.cancel()

    # What the parser calls.

    def on_message_begin(self) -> None:
        """A request begins."""
        self._begin()
        self._reading = self._in_head = True

    def on_url(self, url: bytes) -> None:
        """Part of the request's line."""
        self._url += url
        self._head += len(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header."""
        self._head += len(name) + len(value)
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """Refuse a body that says it is too long before it is sent."""
        self._in_head = False
        self._check_head()
        length = int(self._headers.get("content-length", "0"))
        if length > self._all.limits.body:
            self._fault = self._too_long()
        elif self._parser.should_upgrade() and length:
            self._left = length
        elif self._headers.get("expect", "").lower() == "100-continue" and not self._fault:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        """Part of a body."""
        if self._fault or self._deaf:
            return
        self._body += body
        self._all.bytes += len(body)
        if len(self._body) > self._all.limits.body:
            self._fault = self._too_long()
        elif self._all.bytes > BODIES:
            self._fault = RefusedError(429, "too much is being sent", {"retry-after": "1"})

    def on_message_complete(self) -> None:
        """A whole request: it is answered, or waits until those before it are."""
        if self._fault or self._deaf or self._left:
            return
        self._reading = False
        try:
            path = httptools.parse_url(self._url).path or b"/"
        except httptools.HttpParserError:
            self._fault = RefusedError(400, "not an address")
            return
        request = Request(
            self._parser.get_method().decode("latin-1"), path.decode("latin-1"),
            self._headers, bytes(self._body), self._since, self._parser.should_keep_alive(),
        )  # fmt: skip
        self._forget_body()
        if self._timer:
            self._timer.cancel()
        if self._task is None:
            self._task = self._loop.create_task(self._answer(request))
        else:
            self._next.append(request)

    # What this file calls.

    def shut(self) -> None:
        """Hang up once the answers that are on their way have gone out."""
        self._closing = True
        if self._task is None and not self._deaf:
            self._transport.close()

    def _begin(self) -> None:
        self._url, self._headers, self._body = b"", dict[str, str](), bytearray()
        self._head, self._in_head, self._reading, self._left = 0, False, False, 0
        self._since = time.perf_counter()

    def _forget_body(self) -> None:
        self._all.bytes -= len(self._body)
        self._body = bytearray()

    def _read_on(self, data: bytes) -> None:
        """Read a body that comes with the offer of another protocol: the parser takes it for that one."""
        if self._left:
            self.on_body(data[: self._left])
            self._left = max(0, self._left - len(data))
            if not self._left:
                self.on_message_complete()

    def _check_head(self) -> None:
        if self._head > HEAD:
            self._fault = self._fault or RefusedError(431, f"headers of over {HEAD:,} bytes")

    def _too_long(self) -> RefusedError:
        return RefusedError(413, f"a body of over {self._all.limits.body:,} bytes")

    async def _answer(self, first: Request) -> None:
        request: Request | None = first
        while request:
            response = await self._all.answer(request)
            keep = request.keep_alive and not (response.close or self._closing)
            self._transport.write(_written(response, keep, head=request.method == "HEAD"))
            if not keep:
                self._task = None
                self._transport.close()
                return
            request = self._next.popleft() if self._next else None
        self._task = None
        if not self._deaf:
            self._transport.resume_reading()
            limits = self._all.limits
            self._time(limits.read if self._reading else limits.idle, self._expire)

    def _refuse(self, error: RefusedError) -> None:
        """Answer what was no request, and hang up."""
        self._forget_body()
        self._closing = True
        if self._task is not None:
            # Nothing after it can be understood; the answer that is on its way goes out first.
            self._transport.pause_reading()
            return
        self._deaf = True
        self._all.refused(error.status)
        self._transport.write(_written(refusal(error), keep=False))
        if self._transport.can_write_eof():
            self._transport.write_eof()
        self._time(LINGER, self._transport.abort)

    def _expire(self) -> None:
        """Time is up: for the rest of a request, or for the next one."""
        if self._reading:
            seconds = self._all.limits.read
            self._refuse(
                RefusedError(408, f"a request that took over {seconds:g} seconds to arrive")
            )
        else:
            self._transport.close()

    def _time(self, seconds: float, then: Callable[[], None]) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = self._loop.call_later(seconds, then)


def _written(response: Response, keep: bool, *, head: bool = False) -> bytes:
    lines = [
        f"HTTP/1.1 {response.status} {HTTPStatus(response.status).phrase}",
        f"date: {_date(int(time.time()))}",
    ]
    if response.status not in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED):
        lines += [f"content-type: {response.kind}", f"content-length: {len(response.body)}"]
    lines += [f"{name}: {value}" for name, value in response.headers.items()]
    lines.append("x-content-type-options: nosniff")
    if not keep:
        lines.append("connection: close")
    start = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")
    return start if head else start + response.body


@lru_cache(maxsize=1)
def _date(second: int) -> str:
    return formatdate(second, usegmt=True)

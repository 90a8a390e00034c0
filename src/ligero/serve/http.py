"""HTTP/1.1 over asyncio: httptools (Node's parser) reads, this file keeps time and counts bytes.

Whatever a client sends, it gets a JSON answer or is hung up on; nothing is held without a limit.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, replace
from typing import cast

import httptools

from ligero.serve.messages import RefusedError, Request, Response, encoded, refusal

# Bytes of a request's line and headers, and of what comes behind a body in pieces.
HEAD = 16_384
# Bytes read at once.
READ = 4_096
# Bytes of bodies that all connections hold together, until they are answered.
BODIES = 1 << 26
# Seconds for which a refused client is listened to: hung up on at once, it might miss the answer.
LINGER = 1.0

CROWDED = RefusedError(429, "too many connections", {"retry-after": "1"})


Answer = Callable[[Request], Awaitable[Response]]


@dataclass
class Limits:
    """connections: at once. body: bytes. idle: seconds between two requests.

    read: seconds for a whole request, and for an answer to be taken.
    """

    connections: int
    body: int
    read: float
    idle: float


class Listener:
    """What all connections share.

    refused: told of every answer that never reached `answer`. reads: whether an answer hangs on the
    request's body, which is not there yet; else it is given without. urgent: paths that are answered
    however many clients there are.
    """

    def __init__(
        self, answer: Answer, limits: Limits, refused: Callable[[int], None],
        reads: Callable[[Request], bool] = lambda request: True, urgent: Collection[str] = (),
    ) -> None:  # fmt: skip
        self.answer, self.limits, self.refused = answer, limits, refused
        self.reads, self.urgent = reads, urgent
        self.connections: set[Connection] = set()
        # Of these, longest first: who has nothing in work; who was hung up on and is not gone yet.
        self.idle: dict[Connection, None] = {}
        self.leaving: dict[Connection, None] = {}
        self.bytes = 0
        self.buffer = memoryview(bytearray(READ))

    def connection(self) -> "Connection":
        """A protocol for one client (asyncio's factory)."""
        return Connection(self)

    def admit(self, new: "Connection") -> bool:
        """Take a client, if need be for the one that is idle longest; whether there is room for it."""
        self.connections.add(new)
        over = len(self.connections) - len(self.leaving) - self.limits.connections
        if over > 0 and self.idle:
            next(iter(self.idle)).drop()
            over -= 1
        if len(self.connections) > 2 * self.limits.connections:
            # So many are being sent away that there is no time to be polite.
            next(iter(self.leaving), new).drop()
        return over <= 0

    def forget(self, one: "Connection") -> None:
        """Let a client's place go to others."""
        self.connections.discard(one)
        self.idle.pop(one, None)
        self.leaving.pop(one, None)

    def close(self) -> None:
        """Hang up on every client that no answer is on its way to."""
        for connection in list(self.connections):
            connection.shut()


class Connection(asyncio.BufferedProtocol):
    """One client: requests are read, answered in their order, and timed."""

    def __init__(self, listener: Listener) -> None:
        self._all = listener
        self._parser = httptools.HttpRequestParser(self)
        self._loop = asyncio.get_running_loop()
        self._next: deque[Request] = deque()
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._slow: asyncio.TimerHandle | None = None
        # Whether the client takes its answers as fast as they come.
        self._taken = asyncio.Event()
        self._taken.set()
        self._fault: RefusedError | None = None
        # Bytes of this client's bodies; those read since a request, its head or a piece of its body ended.
        self._bytes = self._plain = 0
        self.on_message_begin()
        self._reading = self._deaf = self._closing = self._late = False

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take a client; where there are too many, only to see whether it asks for what is urgent."""
        self._transport = cast(asyncio.Transport, transport)
        self._late = not self._all.admit(self)
        if self._late:
            self._time(LINGER, self._expire)
        else:
            self._rest()

    def connection_lost(self, error: Exception | None) -> None:
        """Drop what the client asked for."""
        self._all.forget(self)
        self._hold(-self._bytes)
        self._deaf = True
        for timer in (self._timer, self._slow):
            if timer:
                timer.cancel()
        if self._task:
            self._task.cancel()

    def get_buffer(self, sizehint: int) -> memoryview:
        """Where to read to: so little that few requests are in it, and never past the longest head."""
        return self._all.buffer[: HEAD - self._plain]

    def buffer_updated(self, nbytes: int) -> None:
        """Read on."""
        if self._deaf:
            return
        self._all.idle.pop(self, None)
        if not self._reading and self._task is None:
            self._reading = True
            self._time(LINGER if self._late else self._all.limits.read, self._expire)
        self._plain += nbytes
        try:
            self._feed(bytes(self._all.buffer[:nbytes]))
        except httptools.HttpParserError:
            self._fault = self._fault or RefusedError(400, "not HTTP/1.1")
        if self._plain == HEAD:
            self._fault = self._fault or RefusedError(431, f"headers of over {HEAD:,} bytes")
        if self._deaf:
            return
        if self._fault:
            self._refuse(self._fault)
        elif self._next:
            self._transport.pause_reading()  # what waits behind the one in work is enough

    def pause_writing(self) -> None:
        """A client that does not read its answer is given as long as one that does not write."""
        self._taken.clear()
        self._slow = self._loop.call_later(self._all.limits.read, self._transport.abort)

    def resume_writing(self) -> None:
        """It has read on."""
        self._taken.set()
        if self._slow:
            self._slow.cancel()

    # What the parser calls.

    def on_message_begin(self) -> None:
        """A request begins."""
        self._url, self._headers, self._body = b"", dict[str, str](), bytearray()
        self._request: Request | None = None
        self._since = time.perf_counter()
        self._reading = True

    def on_url(self, url: bytes) -> None:
        """Part of the request's line."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header; what comes behind a body is none, and must not pass for one."""
        if self._request is None:
            self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """Answer what needs no body, and refuse one that is too long, before it is sent."""
        self._plain = 0
        if self._offered():
            return
        try:
            path = (httptools.parse_url(self._url).path or b"/").decode("latin-1")
        except httptools.HttpParserError:
            self._fault = RefusedError(400, "not an address")
            return
        # Behind CONNECT comes another protocol.
        keep = self._parser.should_keep_alive() and not self._parser.should_upgrade()
        self._request = Request(
            self._parser.get_method().decode("latin-1"), path, self._headers, b"", self._since,
            keep and not self._late,
        )  # fmt: skip
        length = int(self._headers.get("content-length", "0"))
        if self._late and path not in self._all.urgent:
            self._fault = CROWDED
        elif length > self._all.limits.body:
            self._fault = self._too_long()
        elif length or "transfer-encoding" in self._headers:
            if not self._all.reads(self._request):
                self._ask(replace(self._request, keep_alive=False))
                self._deaf = True
            elif self._headers.get("expect", "").lower() == "100-continue":
                self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        """Part of a body."""
        if self._fault or self._deaf:
            return
        self._plain = 0
        self._body += body
        self._hold(len(body))
        if len(self._body) > self._all.limits.body:
            self._fault = self._too_long()
        elif self._all.bytes > BODIES:
            self._fault = RefusedError(429, "too much is being sent", {"retry-after": "1"})

    def on_message_complete(self) -> None:
        """A whole request: it is answered, or waits until those before it are."""
        if self._request and not (self._fault or self._deaf):
            self._plain = 0
            self._ask(replace(self._request, body=bytes(self._body)))
            self._body = bytearray()

    # What this file calls.

    def shut(self) -> None:
        """Hang up once the answers that are on their way have gone out."""
        self._closing = True
        if self._task is None and not self._deaf:
            self._hang_up()

    def drop(self) -> None:
        """Hang up at once: somebody else needs the place."""
        self._all.forget(self)
        self._deaf = True
        self._transport.abort()

    def _feed(self, data: bytes) -> None:
        """Parse, as if nobody ever offered another protocol: HTTP lets a server ignore that (RFC 9110,
        7.8), but the parser takes all that follows for the other one."""
        while True:
            try:
                self._parser.feed_data(data)
                return
            except httptools.HttpParserUpgrade as stopped:
                if not self._offered():
                    return  # CONNECT, which is refused like anything unknown
                del self._headers["upgrade"]
                headers = "".join(f"{name}: {value}\r\n" for name, value in self._headers.items())
                head = b"%s %s HTTP/%s\r\n%s\r\n" % (
                    self._parser.get_method(), self._url,
                    self._parser.get_http_version().encode(), headers.encode("latin-1"),
                )  # fmt: skip
                self._parser = httptools.HttpRequestParser(self)
                data = head + data[stopped.args[0] :]

    def _offered(self) -> bool:
        return self._parser.should_upgrade() and "upgrade" in self._headers

    def _ask(self, request: Request) -> None:
        self._reading = False
        if self._timer:
            self._timer.cancel()
        if self._task is None:
            self._task = self._loop.create_task(self._answer(request))
        else:
            self._next.append(request)

    def _hold(self, count: int) -> None:
        self._bytes += count
        self._all.bytes += count

    def _too_long(self) -> RefusedError:
        return RefusedError(413, f"a body of over {self._all.limits.body:,} bytes")

    async def _answer(self, request: Request | None) -> None:
        while request:
            await self._taken.wait()
            response = await self._all.answer(request)
            keep = request.keep_alive and not (response.close or self._closing)
            self._transport.write(encoded(response, keep, head=request.method == "HEAD"))
            self._hold(-len(request.body))
            if not keep:
                self._task = None
                self._hang_up(linger=self._deaf)
                return
            request = self._next.popleft() if self._next else None
            if request:
                await asyncio.sleep(0)  # other clients have their turn
        self._task = None
        if self._fault:
            self._refuse(self._fault)
        elif not self._deaf:
            self._transport.resume_reading()
            if self._reading:
                self._time(self._all.limits.read, self._expire)
            else:
                self._rest()

    def _rest(self) -> None:
        self._all.idle[self] = None
        self._time(self._all.limits.idle, self._expire)

    def _refuse(self, error: RefusedError) -> None:
        """Answer what was no request, behind those before it, and hang up."""
        self._hold(-len(self._body))
        self._body = bytearray()
        self._fault, self._deaf, self._plain = error, True, 0
        if self._task is None:
            self._all.refused(error.status)
            self._transport.write(encoded(refusal(error), keep=False))
            self._hang_up(linger=True)

    def _hang_up(self, *, linger: bool = False) -> None:
        """End once the client has what was written, or has had its time; linger: it may be sending."""
        self._deaf = True
        self._all.idle.pop(self, None)
        self._all.leaving[self] = None
        if linger and self._transport.can_write_eof():
            self._transport.write_eof()
        else:
            self._transport.close()
        self._time(LINGER if linger else self._all.limits.read, self._transport.abort)

    def _expire(self) -> None:
        """Time is up: for the rest of a request, or for the next one."""
        if self._late:
            self._refuse(CROWDED)
        elif self._reading:
            seconds = self._all.limits.read
            self._refuse(
                RefusedError(408, f"a request that took over {seconds:g} seconds to arrive")
            )
        else:
            self._hang_up()

    def _time(self, seconds: float, then: Callable[[], None]) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = self._loop.call_later(seconds, then)

"""HTTP's own limits, over raw sockets and both kinds of event loop, before an answer that reads nothing."""

import asyncio
import contextlib
import itertools
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from ligero.serve import http, run
from ligero.serve.http import HEAD, Limits, Listener
from ligero.serve.messages import Request, Response
from served import eventually, raw, rest

LOOPS = {"asyncio": asyncio.new_event_loop, "installed": run._loops()}
CHUNKED = b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n"
GET = b"GET %s HTTP/1.1\r\n\r\n"
CLOSE = b"GET /last HTTP/1.1\r\nconnection: close\r\n\r\n"


@dataclass
class Server:
    """A listener in a thread. asked: requests, in order. faults: what the loop was told of errors."""

    listener: Listener
    loop: asyncio.AbstractEventLoop
    url: str
    asked: list[Request]
    faults: list[object]
    refused: list[int]
    go: asyncio.Event = field(default_factory=asyncio.Event)

    def connect(self, sent: bytes = b"", *, reads: bool = True) -> socket.socket:
        line = socket.socket()
        line.settimeout(10)
        if not reads:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2304)
        line.connect(("127.0.0.1", int(self.url.rsplit(":", 1)[1])))
        line.sendall(sent)
        return line

    def release(self) -> None:
        """Let answers go that wait."""
        self.loop.call_soon_threadsafe(self.go.set)

    def empty(self) -> bool:
        return not (self.listener.connections or self.listener.leaving or self.listener.idle)


@pytest.fixture(params=LOOPS)
def start(request, monkeypatch):
    """`start(...)`: a Server; whatever it is asked, nothing may go wrong in its loop."""
    monkeypatch.setattr(http, "LINGER", 0.2)
    with contextlib.ExitStack() as stack:

        def begin(**settings):
            return stack.enter_context(serving(LOOPS[request.param], **settings))

        yield begin


@contextlib.contextmanager
def serving(
    loops: Callable[[], asyncio.AbstractEventLoop], size: int = 2, connections: int = 50,
    read: float = 5, idle: float = 5, reads: bool = True, body: int = 1 << 20,
) -> Iterator[Server]:  # fmt: skip
    """A server whose answers are the path and `size` bytes; those of paths with "wait" wait for `go`."""
    begun, ready = threading.Event(), []

    async def answer(request: Request) -> Response:
        server.asked.append(request)
        if "wait" in request.path:
            await server.go.wait()
        return Response(200, request.path.encode() + b"." * size)

    async def main():
        loop, end, faults = asyncio.get_running_loop(), asyncio.Event(), []
        loop.set_exception_handler(lambda _, context: faults.append(context))
        refused = []
        listener = Listener(
            answer, Limits(connections, body, read, idle), refused.append,
            reads=lambda request: reads and request.method == "POST", urgent=("/health",),
        )  # fmt: skip
        with socket.create_server(("127.0.0.1", 0)) as listening:
            # What the kernel takes of an answer is not what this is about.
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
            url = f"http://127.0.0.1:{listening.getsockname()[1]}"
            ready.extend([Server(listener, loop, url, [], faults, refused), end])
            async with await loop.create_server(listener.connection, sock=listening):
                begun.set()
                await end.wait()

    def go():
        with asyncio.Runner(loop_factory=loops) as runner:
            runner.run(main())

    thread = threading.Thread(target=go, daemon=True)
    thread.start()
    assert begun.wait(10)
    server, end = ready
    try:
        yield server
    finally:
        server.loop.call_soon_threadsafe(end.set)
        thread.join(10)
    assert not server.faults


def statuses(heard: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"HTTP/1.1 (\d{3}) ", heard)]


@pytest.mark.parametrize(
    ("sent", "shut"),
    [
        (GET % b"/", False), (GET % b"/" * 9, False), (CLOSE, False), (GET % b"/", True),
        (b"nonsense\r\n\r\n", False),
    ],
    ids=["one", "several", "last", "no more said", "refused"],
)  # fmt: skip
def test_who_never_reads_is_gone_in_time(start, sent, shut):
    # Less than the 64 KiB from which on a transport tells that nobody reads; more than the kernel takes.
    server = start(size=40_000, read=0.3, idle=0.3)
    lines = [server.connect(sent, reads=False) for _ in range(5)]
    eventually(lambda: len(server.asked) + len(server.refused) >= 5)
    assert not server.empty()
    if shut:
        for line in lines:
            line.shutdown(socket.SHUT_WR)
    eventually(server.empty, 3)
    for line in lines:
        line.close()


def test_who_reads_slowly_gets_all(start):
    server = start(size=100_000, idle=0.1)
    for sent in (CLOSE, GET % b"/a" + CLOSE):
        with server.connect(sent, reads=False) as line:
            heard = b""
            while piece := line.recv(4_096):
                heard += piece
                time.sleep(0.01)
        assert len(heard) > 100_000 * len(statuses(heard)) > 0 and heard.endswith(b"...")
    assert [request.path for request in server.asked] == ["/last", "/a", "/last"]


def test_answers_wait_until_the_client_reads(start):
    server = start(size=60_000, read=0.4)
    with server.connect(GET % b"/" * 200, reads=False):
        eventually(lambda: server.asked)
        eventually(server.empty, 3)  # it was given as long as one that does not write
    assert 1 <= len(server.asked) <= 4


def test_many_requests_in_one_piece(start):
    server = start()
    paths = [b"/%d" % number for number in range(5_000)]
    with server.connect() as line:
        sender = threading.Thread(
            target=line.sendall, args=(b"".join(GET % path for path in paths) + CLOSE,)
        )
        sender.start()
        heard = rest(line)
        sender.join()
    assert re.findall(rb"\r\n\r\n(/\d+)\.\.", heard) == paths and b"/last.." in heard


def test_few_requests_wait_and_others_have_their_turn(start):
    server = start()
    waited, turns = [], []

    def turn():
        turns.append(len(server.asked))
        waited.append(max((len(one._next) for one in server.listener.connections), default=0))
        if len(server.asked) < 2_000:
            server.loop.call_soon(turn)

    with server.connect(GET % b"/wait" + GET % b"/" * 2_000 + CLOSE) as line:
        eventually(lambda: server.asked)
        time.sleep(0.1)
        server.loop.call_soon_threadsafe(turn)
        server.release()
        assert len(statuses(rest(line))) == 2_002
    assert max(waited) < 256
    # Others are asked whether they have something to do after every few answers.
    assert max(after - before for before, after in itertools.pairwise(turns)) <= 3


def test_the_longest_idle_gives_way(start):
    server = start(connections=3)
    first, second, third = (server.connect() for _ in range(3))
    eventually(lambda: len(server.listener.connections) == 3)
    first.sendall(GET % b"/")  # so the second is idle longest
    assert b"200 OK" in first.recv(1000)
    assert statuses(raw(server.url, CLOSE)) == [200]
    assert second.recv(10) == b""
    for line in (first, third):
        line.sendall(CLOSE)
        assert statuses(rest(line)) == [200]
        line.close()
    second.close()


def test_who_is_being_read_or_answered_keeps_its_place(start):
    server = start(connections=2)
    with server.connect(b"G") as reading, server.connect(GET % b"/wait") as waiting:
        eventually(lambda: len(server.asked) == 1 and not server.listener.idle)
        # Nobody is idle: only probes are answered, and hung up on.
        assert statuses(raw(server.url, GET % b"/")) == [429]
        assert b"retry-after: 1" in raw(server.url, b"POST / HTTP/1.1\r\ncontent-length: 9\r\n\r\n")
        heard = raw(server.url, GET % b"/health" + GET % b"/")
        assert statuses(heard) == [200] and b"connection: close" in heard
        assert statuses(raw(server.url, b"")) == [429]  # it says nothing for a moment
        assert statuses(raw(server.url, b"G")) == [429]
        assert server.refused == [429] * 4
        reading.sendall(CLOSE[1:])
        server.release()
        assert statuses(rest(reading)) == [200]
        waiting.sendall(CLOSE)
        assert statuses(rest(waiting)) == [200, 200]


def test_who_is_hung_up_on_holds_no_place(start, monkeypatch):
    monkeypatch.setattr(http, "LINGER", 5)
    server = start(connections=2)
    with contextlib.ExitStack() as stack:
        good = stack.enter_context(server.connect())
        for _ in range(8):
            line = stack.enter_context(server.connect(b"nonsense\r\n\r\n"))
            assert statuses(line.recv(1000)) == [400]
        eventually(lambda: len(server.listener.connections) == 4)  # twice as many, never more
        good.sendall(GET % b"/")
        assert statuses(good.recv(1000)) == [200]
    eventually(server.empty)


def test_line_ends_do_not_hold_a_place(start):
    server = start(read=0.3)
    with server.connect() as line, contextlib.suppress(OSError):
        started = time.monotonic()
        while not server.empty() or time.monotonic() < started + 0.1:
            assert time.monotonic() - started < 5
            line.sendall(b"\r\n")
            time.sleep(0.05)


@pytest.mark.parametrize("body", [b"content-length: 1048576", b"transfer-encoding: chunked"])
def test_a_body_that_nobody_reads_is_not_waited_for(start, body):
    server = start(reads=False)
    head = b"POST /no HTTP/1.1\r\nexpect: 100-continue\r\n" + body + b"\r\n\r\n"
    started = time.monotonic()
    heard = raw(server.url, GET % b"/" + head)
    assert time.monotonic() - started < 4 and b"connection: close" in heard
    assert statuses(heard) == [200, 200]  # in their order, and nobody told to continue
    assert [request.path for request in server.asked] == ["/", "/no"]


@pytest.mark.parametrize("before", [b"", GET % b"/wait" + GET % b"/"])
def test_who_sends_a_body_that_nobody_reads_hears_the_answer(start, monkeypatch, before):
    monkeypatch.setattr(http, "LINGER", 5)
    server = start(reads=False)
    with server.connect(before + b"POST /wait HTTP/1.1\r\ncontent-length: 1000000\r\n\r\n") as line:
        eventually(lambda: server.asked)
        line.sendall(b"9" * 100_000)
        assert statuses(raw(server.url, CLOSE)) == [200]  # what was sent has been met by now
        assert server.listener.bytes == 0
        server.release()
        heard = rest(line)  # no more is said, but it is listened to
        assert statuses(heard) == [200] * (3 if before else 1) and heard.endswith(b"/wait..")
        line.sendall(b"9" * 9_000_000)
        assert line.recv(10) == b""
    eventually(server.empty)


def test_a_body_that_is_read_is_asked_for(start):
    server = start()
    with server.connect(
        b"POST / HTTP/1.1\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n"
    ) as line:
        assert line.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        line.sendall(b"ab" + CLOSE)
        assert statuses(rest(line)) == [200, 200]
    assert server.asked[0].body == b"ab"


def test_bodies_count_until_they_are_answered(start, monkeypatch):
    monkeypatch.setattr(http, "BODIES", 1_500)
    server = start()
    post = b"POST %s HTTP/1.1\r\ncontent-length: 1000\r\n\r\n"
    with server.connect(post % b"/wait" + b"a" * 1000) as line:
        eventually(lambda: server.asked)
        assert server.listener.bytes == 1000
        assert statuses(raw(server.url, post % b"/" + b"a" * 1000)) == [429]
        assert server.listener.bytes == 1000
        server.release()
        assert b"200 OK" in line.recv(1000)
        eventually(lambda: server.listener.bytes == 0)
        line.sendall(post % b"/" + b"a" * 999)
        eventually(lambda: server.listener.bytes == 999)
    eventually(lambda: server.listener.bytes == 0)  # nobody is there any more
    server.go = asyncio.Event()
    with server.connect(post % b"/wait" + b"a" * 1000):
        eventually(lambda: len(server.asked) == 2)
        assert server.listener.bytes == 1000
    eventually(lambda: server.listener.bytes == 0)


def test_what_comes_behind_a_body_is_no_header(start):
    server = start()
    sent = (
        CHUNKED
        + b"content-type: a\r\n\r\n2\r\nab\r\n0\r\nContent-Type: b\r\nauthorization: c\r\n\r\n"
    )
    assert statuses(raw(server.url, sent + CLOSE)) == [200, 200]
    assert server.asked[0].body == b"ab"
    assert server.asked[0].headers == {"transfer-encoding": "chunked", "content-type": "a"}


@pytest.mark.parametrize("piece", [b"a: b\r\n", b"a", b"a:" + b" " * 99 + b"b\r\n"])
def test_what_comes_behind_a_body_is_limited(start, piece):
    server = start()
    for sent in (b"2\r\nab\r\n0\r\n", b"2\r\nab\r\n0;"):  # behind it, or behind a length
        heard = raw(server.url, CHUNKED + b"\r\n" + sent + piece * (3 * HEAD // len(piece)))
        assert statuses(heard) in ([431], [400]) and (b" 431 " in heard or b";" in sent)
    assert not server.asked and server.listener.bytes == 0


@pytest.mark.parametrize("piece", [1 << 20, 1400, 997])
def test_a_head_has_one_limit_however_it_comes(start, piece):
    server = start()

    def ask(size, body=b""):
        line = b"POST / HTTP/1.1\r\nconnection: close\r\ncontent-length: %d\r\n" % len(body)
        while size - len(line) > 300:
            line += b"name: " + b"v" * 100 + b"\r\n"
        sent = line + b"last: " + b"v" * (size - len(line) - 10) + b"\r\n\r\n"
        assert len(sent) == size
        with server.connect() as to:
            to.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for at in range(0, size, piece):
                to.sendall(sent[at : at + piece])
                time.sleep(0.003 if piece < size else 0)
            to.sendall(body)
            return statuses(rest(to))

    told = [ask(size) for size in (11_363, HEAD, HEAD + 1, HEAD + 600)]
    assert told == [[200], [200], [431], [431]]
    assert ask(HEAD, b"a" * 100_000) == [200] and len(server.asked[-1].body) == 100_000


def test_heads_that_follow_each_other_are_counted_apart(start):
    server = start()
    long = b"GET / HTTP/1.1\r\nname: " + b"v" * 15_000 + b"\r\n\r\n"
    assert statuses(raw(server.url, long * 5 + CLOSE)) == [200] * 6
    behind = CHUNKED + b"\r\n1\r\na\r\n0\r\nname: " + b"v" * 10_000 + b"\r\n\r\n"
    assert statuses(raw(server.url, (behind + long) * 3 + CLOSE)) == [200] * 7


def test_a_body_in_tiny_pieces(start):
    server = start()
    pieces = b"1\r\na\r\n" * 20_000
    assert statuses(raw(server.url, CHUNKED + b"\r\n" + pieces + b"0\r\n\r\n" + CLOSE)) == [200] * 2
    assert server.asked[0].body == b"a" * 20_000


OFFER = (
    b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAAB\r\n"
)


@pytest.mark.parametrize("size", [1 << 20, 7])
def test_an_offer_of_another_protocol_is_ignored(start, size):
    server = start()
    sent = [
        CHUNKED + OFFER + b"\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
        b"POST /b?c HTTP/1.1\r\ncontent-length: 5\r\n" + OFFER + b"\r\nabcde",
        b"GET /c HTTP/1.1\r\n" + OFFER + b"\r\n",
        CLOSE,
    ]
    with server.connect() as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        whole = b"".join(sent)
        for at in range(0, len(whole), size):
            line.sendall(whole[at : at + size])
            time.sleep(0.001)
        assert statuses(rest(line)) == [200] * 4
    assert [(r.method, r.path, r.body) for r in server.asked] == [
        ("POST", "/", b"abcde"), ("POST", "/b", b"abcde"), ("GET", "/c", b""), ("GET", "/last", b""),
    ]  # fmt: skip
    assert all("upgrade" not in request.headers for request in server.asked)
    assert server.asked[1].headers["http2-settings"] == "AAEAAEAAAAIAAAAB"


def test_an_offer_hides_nothing(start):
    server = start(body=4)
    offered = b"\r\n" + OFFER + b"\r\n"
    post = b"POST / HTTP/1.1\r\n"
    expects = post + b"expect: 100-continue\r\ncontent-length: 1" + offered + b"a"
    for head, wanted in (
        (post + b"content-length: 5" + offered, [413]),
        (expects + CLOSE, [100, 200, 200]),
        (post + b"transfer-encoding: gzip" + offered, [400]),
        (b"CONNECT a:80 HTTP/1.1\r\n\r\n", [400]),
        (b"CONNECT a:80 HTTP/1.1" + offered, [400]),
    ):  # fmt: skip
        assert statuses(raw(server.url, head)) == wanted, head
    assert statuses(raw(server.url, b"CONNECT / HTTP/1.1\r\n\r\n" + CLOSE)) == [200]
    assert server.asked[-1].method == "CONNECT" and not server.asked[-1].keep_alive


def test_what_cannot_be_read_is_refused_behind_what_can(start):
    server = start()
    assert statuses(raw(server.url, GET % b"/" * 3 + b"nonsense\r\n\r\n")) == [200, 200, 200, 400]
    with server.connect(GET % b"/wait" + GET % b"/" + b"nonsense\r\n\r\n") as line:
        eventually(lambda: len(server.asked) == 4)
        server.release()
        assert statuses(rest(line)) == [200, 200, 400]


def test_who_breaks_off_leaves_nothing(start):
    server = start(size=200_000)
    for sent in (
        b"",
        b"G",
        GET % b"/wait",
        GET % b"/" * 500,
        CHUNKED + b"\r\n3\r\nab",
        b"x\r\n\r\n",
    ):
        line = server.connect(sent, reads=False)
        time.sleep(0.02)
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        line.close()  # by a reset
    eventually(server.empty)
    assert server.listener.bytes == 0

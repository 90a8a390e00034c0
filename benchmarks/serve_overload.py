"""`ligero serve` with far more to do than it can, ended, robbed of a worker, and asked nonsense.

    LIGERO_DATA=… python benchmarks/serve_overload.py --export runs/exports/ner-conll2002

Takes about 8 minutes and writes `benchmarks/results/serve-overload.md` and `.json`. What the server carries
is measured first, with connections that ask again once they have their answer; then ten times that is due,
at times that do not depend on the server (`load.py`), and each request is timed from when it was due.
Skipped, with the reason, where the data are not at hand.
"""

import argparse
import contextlib
import json
import os
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import load
import malformed
from ligero import machine
from ligero.report import tables
from ligero.runs import write_json
from ligero.serve import Served, serving
from serve_common import Reply, ask, bodies, children, figure, resident, sentences, until

# Connections under overload: fewer than `--connections` lets in.
LINES = 400
# What the server is asked with meanwhile, to see whether it answers.
SLOW_BODIES = 50


@dataclass(frozen=True)
class Row:
    """One line of the table: what, its limit, what was measured, whether that keeps to it."""

    what: str
    limit: str
    measured: str
    good: bool | None


def main() -> None:
    """Do it all, and write a page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--export", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=60.0, help="of the overload")
    parser.add_argument("--times", type=float, default=10.0, help="what it can carry")
    parser.add_argument(
        "--each", type=float, default=10.0, help="seconds of each other measurement"
    )
    parser.add_argument("--malformed", type=int, default=10_000)
    parser.add_argument("--waits", type=float, nargs="*", default=[0, 500, 200, 100, 50])
    here = Path(__file__).parent / "results" / "serve-overload.md"
    parser.add_argument("--out", type=Path, default=here)
    arguments = parser.parse_args()
    asked = bodies(sentences(500))
    found: dict[str, Any] = {}
    rows: list[Row] = []
    with server(arguments.export) as (served, url):
        found["carried"] = carried = load.offer(load.Order(url, asked, arguments.each, 64))
        rows += overload(served, url, asked, carried["per_second"], arguments, found)
        rows += robbed(served, url, asked, arguments, found)
        rows += nonsense(served, url, arguments, found)
    with server(arguments.export) as (served, url):
        rows += ended(served, url, asked, carried["per_second"], arguments, found)
    rate = arguments.times * carried["per_second"]
    found["waits"] = [bounded(arguments, asked, wait, rate) for wait in arguments.waits]
    found["rows"] = [[r.what, r.limit, r.measured, r.good] for r in rows]
    page = report(found, rows, arguments)
    print(page)
    arguments.out.write_text(page, encoding="utf-8")
    write_json(arguments.out.with_suffix(".json"), found)


@contextlib.contextmanager
def server(export: Path, **settings: Any) -> Iterator[tuple[Served, str]]:
    """A warm server, and the address of its model."""
    with serving([f"model={export}"], warm=True, **settings) as served:
        print(f"a server is up {settings or ''}", flush=True)
        yield served, f"{served.url}/models/model"


def overload(
    served: Served, url: str, asked: Sequence[str], rate: float, arguments: argparse.Namespace,
    found: dict[str, Any],
) -> list[Row]:  # fmt: skip
    """Ten times what it carries, between two times of half of it."""
    seconds, each = arguments.seconds, arguments.each
    calm = load.offer(load.Order(url, asked, each, 64, rate=rate / 2))
    # What is flat is told from a server that has been full once: queues and buffers are at their size.
    load.offer(load.Order(url, asked, min(5.0, each), LINES, rate=arguments.times * rate, seed=1))
    processes = [served.process.pid, *children(served.process.pid)]
    before = [resident([p]) for p in processes]
    process = load.begin(load.Order(url, asked, seconds, LINES, rate=arguments.times * rate))
    lengths: list[float] = []
    while process.poll() is None and len(lengths) < 2 * seconds:
        lengths.append(figure(served.url, 'ligero_queue_length{model="model"}'))
        time.sleep(0.5)
    full = load.finished(process)
    until(lambda: quick(url, asked[0], 2 * calm["ms"]["200"]["p99"]), 60)
    # What had been accepted is answered first: that is part of it.
    normal = time.time() - full["ended"]
    after = [resident([p]) for p in processes]
    calm_again = load.offer(load.Order(url, asked, each, 64, rate=rate / 2, seed=2))
    found["overload"] = {
        "calm": calm, "full": full, "calm_again": calm_again, "queue": lengths, "normal_after": normal,
        "resident_mb": [before, after],
    }  # fmt: skip
    statuses, ms = full["statuses"], full["ms"]
    refused = ms.get("429", {"p50": float("nan"), "p99": float("nan")})
    slower = ms["200"]["p99"] / calm["ms"]["200"]["p99"]
    growth = [b / a - 1 for a, b in zip(before, after, strict=True)]
    other = {s: n for s, n in statuses.items() if s not in ("200", "429")}
    times = full["offered_per_second"] / rate
    return [
        Row("offered, times what is carried", f"{arguments.times:g}", f"{times:.1f}", None),
        Row("texts that wait (from /metrics), most", "256", f"{max(lengths):.0f}", max(lengths) <= 256),
        Row("answers other than 200 and 429", "none", str(other or "none"), not other),
        Row(
            "time to a refusal, p50 and p99", "50 ms", f"{refused['p50']:.1f} and {refused['p99']:.1f} ms",
            refused["p99"] < 50,
        ),
        Row(
            "p99 of what is accepted, beside half the load", "2 times",
            f"{ms['200']['p99']:.0f} ms, {slower:.1f} times {calm['ms']['200']['p99']:.1f} ms", slower <= 2,
        ),
        Row(
            "answers a second meanwhile, beside what is carried", "",
            f"{full['per_second']:.0f} of {rate:.0f}", None,
        ),
        Row(
            "memory, server and workers, from start to end", "5%",
            " and ".join(f"{b:.0f} MB ({g:+.1%})" for b, g in zip(after, growth, strict=True)),
            max(growth) <= 0.05,
        ),
        Row("normal again after", "5 s", f"{normal:.2f} s", normal < 5),
    ]  # fmt: skip


def quick(url: str, body: str, milliseconds: float) -> bool:
    """Whether a text is read within some time."""
    began = time.perf_counter()
    return ask(url, body).status == 200 and 1000 * (time.perf_counter() - began) < milliseconds


def robbed(
    served: Served,
    url: str,
    asked: Sequence[str],
    arguments: argparse.Namespace,
    found: dict[str, Any],
) -> list[Row]:
    """Its worker killed while it reads a batch, with clients that go on asking."""
    process = load.begin(load.Order(url, asked, arguments.each, 16))
    time.sleep(arguments.each / 3)
    (worker,) = children(served.process.pid)
    os.kill(worker, signal.SIGKILL)
    killed = time.perf_counter()
    refused: list[float] = []
    while process.poll() is None:
        reply = ask(url, asked[0])
        if reply.status != 200:
            refused.append(time.perf_counter() - killed)
    loaded = load.finished(process)
    found["robbed"] = {"load": loaded, "refused_after": refused}
    other = {s: n for s, n in loaded["statuses"].items() if s not in ("200", "503")}
    last = max(refused, default=0.0)
    longest = max(one["max"] for one in loaded["ms"].values()) / 1000
    return [
        Row("worker killed: last 503 after", "2 s", f"{last:.2f} s", last < 2),
        Row("worker killed: 503 told, others answered", "", f"{loaded['statuses']}", not other),
        Row("worker killed: longest wait for any answer", "10 s", f"{longest:.1f} s", longest < 10),
    ]


def nonsense(
    served: Served, url: str, arguments: argparse.Namespace, found: dict[str, Any]
) -> list[Row]:
    """Malformed requests, and bodies that come a byte at a time."""
    place = urlsplit(url)
    told: Counter[str] = Counter()
    wrong: list[str] = []
    lock = threading.Lock()

    def one(request: tuple[str, bytes]) -> None:
        status = answered(place.hostname or "", place.port or 0, request[1])
        with lock:
            told[status] += 1
            if not status.startswith("4"):
                wrong.append(f"{request[0]}: {status}")

    slow = [socket.create_connection((place.hostname, place.port)) for _ in range(SLOW_BODIES)]
    for line in slow:
        line.sendall(
            f"POST {place.path} HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n"
            "content-length: 1000\r\n\r\n".encode()
        )
    began = time.perf_counter()
    with ThreadPoolExecutor(16) as pool:
        for _ in pool.map(one, malformed.requests(0, arguments.malformed, place.path)):
            pass
    seconds = time.perf_counter() - began
    for line in slow:
        line.settimeout(20)
        with contextlib.suppress(OSError), line:
            told["slow: " + (line.recv(12)[9:].decode() or "hung up on")] += 1
    after = ask(url, json.dumps({"inputs": "La ministra Nieves Córdoba."}))
    found["malformed"] = {
        "told": dict(sorted(told.items())),
        "seconds": seconds,
        "wrong": wrong[:50],
    }
    return [
        Row(
            f"{arguments.malformed:,} malformed requests, {len(malformed.KINDS)} kinds", "all 4xx",
            ", ".join(f"{n:,} x {s}" for s, n in sorted(told.items())), not wrong,
        ),
        Row("right afterwards", "200", str(after.status), after.status == 200),
    ]  # fmt: skip


def answered(host: str, port: int, sent: bytes) -> str:
    """The status of the answer to these bytes, or what came instead."""
    try:
        with socket.create_connection((host, port), timeout=20) as line:
            with contextlib.suppress(ConnectionError):
                line.sendall(sent)
            heard = line.recv(12)
            return heard[9:].decode() if heard.startswith(b"HTTP/1.1 ") else "no answer"
    except OSError as error:
        return type(error).__name__


def ended(
    served: Served, url: str, asked: Sequence[str], rate: float, arguments: argparse.Namespace,
    found: dict[str, Any],
) -> list[Row]:  # fmt: skip
    """SIGTERM while more comes than it carries: each request by hand, to know which was accepted."""
    stop = threading.Event()
    replies: list[tuple[Reply, float, float]] = []

    def client(number: int) -> None:
        while not stop.is_set():
            began = time.perf_counter()
            reply = ask(url, asked[number % len(asked)])
            replies.append((reply, began, time.perf_counter()))
            if not reply.status:
                return

    with ThreadPoolExecutor(64) as pool:
        for number in range(64):
            pool.submit(client, number)
        time.sleep(min(3.0, arguments.each))
        told = time.perf_counter()
        served.process.send_signal(signal.SIGTERM)
        code = served.process.wait(30)
        gone = time.perf_counter() - told
        stop.set()
    # Asked before the signal and not answered: accepted and lost. What asks later may find nobody.
    lost = sum(not reply.status for reply, began, _ in replies if began < told - 0.05)
    late = Counter(reply.status for reply, began, _ in replies if began >= told)
    held = sum(began < told < finished for reply, began, finished in replies if reply.status == 200)
    found["ended"] = {"seconds": gone, "code": code, "lost": lost, "held": held, "late": dict(late)}
    return [
        Row(
            "SIGTERM under load: ended after", "10 s", f"{gone:.2f} s, exit code {code}", gone < 10
        ),
        Row(
            "SIGTERM: accepted before it and lost",
            "none",
            f"{lost} of {held}",
            not lost and not code,
        ),
    ]


def bounded(
    arguments: argparse.Namespace, asked: Sequence[str], wait: float, rate: float
) -> dict[str, Any]:
    """What `--wait-ms` does: under the overload, and with 64 connections that ask again."""
    with server(arguments.export, wait_ms=wait) as (_, url):
        closed = load.offer(load.Order(url, asked, arguments.each / 2, 64))
        full = load.offer(load.Order(url, asked, arguments.each, LINES, rate=rate))
    return {"wait_ms": wait, "closed": closed, "full": full}


def report(found: dict[str, Any], rows: Sequence[Row], arguments: argparse.Namespace) -> str:
    """The page."""
    kept = {True: "yes", False: "no", None: ""}
    table = [[r.what, r.limit, r.measured, kept[r.good]] for r in rows]
    waits = [
        [
            f"{one['wait_ms']:g}" if one["wait_ms"] else "none",
            *(f"{one['full']['ms']['200'][name]:.0f}" for name in ("p50", "p99")),
            f"{one['full']['per_second']:.0f}",
            f"{one['closed']['per_second']:.0f}",
            str(one["closed"]["statuses"].get("429", 0)),
        ]
        for one in found["waits"]
    ]
    heading = [
        "--wait-ms", "p50 ms", "p99 ms", "answered / s", "64 clients: answered / s", "64 clients: refused",
    ]  # fmt: skip
    full, carried = found["overload"]["full"], found["carried"]
    return f"""# `ligero serve` with more to do than it can

{tables.markdown(["what", "limit", "measured", "kept"], table)}

It carries {carried["per_second"]:.0f} single sentences of CoNLL-2002 (esp.testb) a second, asked by 64
connections that ask again once they have their answer. The overload is {arguments.times:g} times that for
{arguments.seconds:g} s, due at times of a Poisson process and timed from when it was due, over {LINES}
connections. "Half the load" is half of what it carries. The client shares the processors with the server and
takes {full["client_cores"]:.2f} of one; it was {full["behind_ms"]["p99"]:.1f} ms late with what was due
(p99), which counts as the server's time here.

How long texts may be expected to wait before others are refused, under the same overload, and with 64
connections that ask again:

{tables.markdown(heading, waits)}

Settings: `--warm true`, otherwise as it comes.

{machine.footer("openvino", "uvloop", "httptools")}"""


if __name__ == "__main__":
    main()

"""`ligero serve` beside transformers' pipeline behind FastAPI, the same weights, in turn.

    pip install fastapi uvicorn
    LIGERO_DATA=… python benchmarks/serve_load.py --model runs/tasks/ner-conll2002/model \
        --export runs/exports/ner-conll2002

Takes about 15 minutes and writes `benchmarks/results/serve-load.md` and `.json`. Single sentences of
CoNLL-2002's test file, by 1, 4, 16 and 64 connections that ask again once they have their answer, and at
fixed rates. All servers run all the time and only one is asked at a time; each round asks all, in another
order. The client (`load.py`) shares the processors with them; what it takes of them is measured against a
server that reads nothing (`--nothing`), and told. Skipped, with the reason, where the data are not at hand.
"""

import argparse
import asyncio
import contextlib
import json
import socket
import statistics
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import load
from ligero import machine
from ligero.report import tables
from ligero.runs import write_json
from ligero.runtime.card import Card
from ligero.serve import serving
from ligero.serve.http import Limits, Listener
from ligero.serve.messages import Request, Response
from serve_common import ask, bodies, sentences, started

LIGERO, NOTHING = "ligero serve", "nothing read"
# The other way to use two processors.
WORKERS = "ligero serve --workers 2 --threads 1"
RESULTS = Path(__file__).parent / "results"
# Connections for a given rate, and rates as shares of what a server can carry with 16 connections.
OPEN, SHARES = 64, (0.25, 0.5, 0.8)


def main() -> None:
    """Ask all in turn, and write a page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", type=Path, help="the fine-tuned model's folder")
    parser.add_argument("--export", type=Path, help="its export")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each measurement")
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 4, 16, 64])
    parser.add_argument("--texts", type=int, default=500)
    parser.add_argument("--variants", nargs="+", help="of serve_plain.py; else all")
    parser.add_argument("--out", type=Path, default=RESULTS / "serve-load.md")
    parser.add_argument("--nothing", type=int, metavar="PORT", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.nothing:
        asyncio.run(nothing(arguments.nothing))
        return
    if not (arguments.model and arguments.export):
        parser.error("expected --model and --export")
    from serve_plain import VARIANTS  # FastAPI and torch, which `--nothing` needs not

    variants = arguments.variants or list(VARIANTS)
    texts = sentences(arguments.texts)
    asked = bodies(texts)
    with contextlib.ExitStack() as stack:
        urls = {LIGERO: stack.enter_context(serving([f"ner={arguments.export}"], warm=True)).url}
        two = serving([f"ner={arguments.export}"], warm=True, workers=2, threads=1)
        urls[WORKERS] = stack.enter_context(two).url + "/"
        words = [sys.executable, str(Path(__file__).parent / "serve_plain.py")]
        for variant in variants:
            port = free_port()
            urls[variant] = f"http://127.0.0.1:{port}/"
            settings = {"MODEL": str(arguments.model), "VARIANT": variant}
            stack.enter_context(started([*words, str(port)], urls[variant], settings))
        urls[LIGERO] += "/"
        port = free_port()
        urls[NOTHING] = f"http://127.0.0.1:{port}/"
        words = [sys.executable, __file__, "--nothing", str(port)]
        stack.enter_context(started(words, urls[NOTHING], {}))
        print("all servers are up", flush=True)
        agreed = agreement(urls, variants[0], asked[:200])
        for url in urls.values():  # as warm as they will be
            load.offer(load.Order(url, asked, min(3, arguments.seconds), 16))
        closed = in_turn(urls, asked, arguments)
        opened = at_rates(urls, asked, closed, variants, arguments)
    found = {
        "closed": closed, "open": opened, "agree": agreed, "seconds": arguments.seconds,
        "texts": len(texts), "machine": machine.processor(),
        "precision": Card.read(arguments.export).precision,
        **machine.facts(["openvino", "torch", "transformers", "fastapi", "uvicorn", "uvloop"]),
    }  # fmt: skip
    page = report(found, variants)
    print(page)
    arguments.out.write_text(page, encoding="utf-8")
    write_json(arguments.out.with_suffix(".json"), found)


async def nothing(port: int) -> None:
    """Serve one answer for whatever is asked, over ligero's own HTTP."""

    async def answer(request: Request) -> Response:
        return Response(200, b"[]")

    listener = Listener(answer, Limits(500, 1 << 20, 10, 30), lambda status: None)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(listener.connection, "127.0.0.1", port)
    await server.serve_forever()


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as held:
        port: int = held.getsockname()[1]
        return port


def agreement(urls: Mapping[str, str], variant: str, asked: Sequence[str]) -> float:
    """Share of texts in which both servers find the same entities, by kind and place."""

    def entities(url: str, body: str) -> list[tuple[str, int, int]]:
        return [(e["entity_group"], e["start"], e["end"]) for e in json.loads(ask(url, body).body)]

    same = [entities(urls[LIGERO], b) == entities(urls[variant], b) for b in asked]
    return sum(same) / len(same)


def in_turn(
    urls: Mapping[str, str], asked: Sequence[str], arguments: argparse.Namespace
) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """connections -> server -> what each round measured, with closed loops."""
    found: dict[str, dict[str, list[dict[str, Any]]]] = {
        str(c): {name: [] for name in urls} for c in arguments.connections
    }
    names = list(urls)
    for number in range(arguments.rounds):
        for connections in arguments.connections:
            for name in names:
                order = load.Order(urls[name], asked, arguments.seconds, connections)
                found[str(connections)][name].append(load.offer(order))
        names = names[1:] + names[:1]
        print(f"round {number + 1} of {arguments.rounds}", flush=True)
    return found


def at_rates(
    urls: Mapping[str, str], asked: Sequence[str], closed: Any, variants: Sequence[str],
    arguments: argparse.Namespace,
) -> list[dict[str, Any]]:  # fmt: skip
    """What comes of rates that are due: shares of what the best variant carries, and of what ligero does."""
    at = "16" if "16" in closed else next(iter(closed))
    carried = {name: middle(rounds, "per_second") for name, rounds in closed[at].items()}
    best = max(variants, key=lambda name: carried[name])
    plans = [(best, share * carried[best]) for share in SHARES]
    plans += [(LIGERO, share * carried[best]) for share in SHARES]
    plans += [(LIGERO, share * carried[LIGERO]) for share in SHARES]
    found: list[dict[str, Any]] = [
        {"server": name, "rate": rate, "rounds": []} for name, rate in plans
    ]
    for seed in range(arguments.rounds):
        for one in found:
            order = load.Order(
                urls[one["server"]], asked, arguments.seconds, OPEN, rate=one["rate"], seed=seed
            )
            one["rounds"].append(load.offer(order))
    return found


def middle(rounds: Sequence[dict[str, Any]], *path: str) -> float:
    """The median over rounds of one figure; NaN where nothing was answered."""
    values = []
    for one in rounds:
        value: Any = one
        for key in path:
            value = value.get(key) if value else None
        values.append(float("nan") if value is None else float(value))
    return statistics.median(values)


def errors(rounds: Sequence[dict[str, Any]]) -> int:
    """Answers that were none, or not 200."""
    return sum(n for one in rounds for s, n in one["statuses"].items() if s != "200")


def report(found: Mapping[str, Any], variants: Sequence[str]) -> str:
    """The page."""
    rows, ratios = [], []
    for connections, servers in found["closed"].items():
        best = max(variants, key=lambda name: middle(servers[name], "per_second"))
        for name, rounds in servers.items():
            mark = " (fastest)" if name == best and len(variants) > 1 else ""
            rows.append(
                [
                    connections, name + mark, f"{middle(rounds, 'per_second'):,.0f}",
                    f"{middle(rounds, 'ms', '200', 'p50'):.1f}",
                    f"{middle(rounds, 'ms', '200', 'p99'):.1f}", str(errors(rounds)),
                ]
            )  # fmt: skip
        for name in dict.fromkeys([variants[0], best]):
            pairs = list(zip(servers[LIGERO], servers[name], strict=True))
            gains = [a["per_second"] / b["per_second"] for a, b in pairs]
            slower = sum(a["ms"]["200"]["p99"] > b["ms"]["200"]["p99"] for a, b in pairs)
            ratios.append(
                [
                    connections, name, f"{statistics.median(gains):.1f}",
                    f"{min(gains):.1f} to {max(gains):.1f}",
                    f"{len(pairs) - slower} of {len(pairs)}",
                ]
            )  # fmt: skip
    opened = [
        [
            one["server"], f"{one['rate']:.0f}", f"{middle(one['rounds'], 'per_second'):.0f}",
            f"{middle(one['rounds'], 'ms', '200', 'p50'):.1f}",
            f"{middle(one['rounds'], 'ms', '200', 'p99'):.1f}", str(errors(one["rounds"])),
        ]
        for one in found["open"]
    ]  # fmt: skip
    rounds = len(found["open"][0]["rounds"])
    most = list(found["closed"])[-1]
    trivial = found["closed"][most][NOTHING]
    share = middle(found["closed"][most][LIGERO], "client_cores")
    return f"""# Requests a second: `ligero serve` and a pipeline behind FastAPI

{tables.markdown(["connections", "beside", "times as many", "of the rounds", "p99 no greater"], ratios)}

{tables.markdown(["connections", "server", "requests / s", "p50 ms", "p99 ms", "errors"], rows)}

Requests that are due at a given rate, timed from then:

{tables.markdown(["server", "due / s", "answered / s", "p50 ms", "p99 ms", "errors"], opened)}

{found["texts"]} single sentences of CoNLL-2002 (esp.testb), medians of {rounds} rounds of
{found["seconds"]:g} s, servers in turn. `ligero serve` runs the export (`--warm true`, otherwise as it
comes), the others the same fine-tuned weights in transformers' pipeline (`benchmarks/serve_plain.py` says
what each variant does). In {found["agree"]:.1%} of 200 sentences ligero and "{variants[0]}" find the same
entities; the export is in {found["precision"]}.

Client and servers share {found["cores"]} processors. The client keeps {share:.2f} of one busy while it asks
`ligero serve` with {most} connections; a server that reads nothing answers it
{middle(trivial, "per_second"):,.0f} times a second, so that it is not the client that is measured.

{machine.footer("openvino", "torch", "transformers", "fastapi", "uvicorn", "uvloop")}"""


if __name__ == "__main__":
    main()

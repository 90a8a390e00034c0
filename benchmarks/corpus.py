"""How fast a corpus is built and how much memory that takes: what the README's figures come from.

    python benchmarks/corpus.py train.txt.xz --workers 2 --out corpus.md

Each way of building runs in processes of its own, in turn, as often as asked; the fastest and the
slowest are told. Megabytes are those of the text as read (10^6 bytes of UTF-8). Memory is the sum
over all processes of what is theirs alone plus their share of the rest (PSS), sampled.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ligero import jobs
from ligero.report import tables

WAYS = {
    "cleaning": {"copies": False, "near_copies": False},
    "cleaning, exact copies": {"copies": True, "near_copies": False},
    "cleaning, exact and near copies": {"copies": True, "near_copies": True},
}
EVERY = 0.1  # seconds between samples of memory

BUILD = """
import json, sys
from ligero.corpus.build import Settings, build

if __name__ == "__main__":
    inputs, out, workers, settings = json.loads(sys.argv[1])
    build(inputs, out, Settings(**settings), workers)
"""


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("inputs", nargs="+", type=Path)
    parser.add_argument("--workers", type=int, default=jobs.cores())
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--out", type=Path, help="a Markdown file; its figures go beside it, .json")
    arguments = parser.parse_args()
    taken: dict[str, list[dict[str, Any]]] = {name: [] for name in WAYS}
    for _ in range(arguments.repeats):
        for name, settings in WAYS.items():
            taken[name].append(measure(arguments.inputs, arguments.workers, settings))
            print(f"{name}: {taken[name][-1]}", file=sys.stderr)
    heading, rows = table(taken)
    page = f"{tables.markdown(heading, rows)}\n\n{machine(arguments)}\n"
    if arguments.out:
        arguments.out.write_text(page, encoding="utf-8")
        arguments.out.with_suffix(".json").write_text(json.dumps(taken, indent=2) + "\n")
    print(page)


def measure(inputs: Sequence[Path], workers: int, settings: dict[str, bool]) -> dict[str, Any]:
    """Build once, in a folder that is then removed: seconds, bytes read, documents kept, memory."""
    with tempfile.TemporaryDirectory() as place:
        script, out = Path(place) / "build.py", Path(place) / "out"
        script.write_text(BUILD)
        given = json.dumps([[str(file) for file in inputs], str(out), workers, settings])
        began = time.perf_counter()
        process = subprocess.Popen([sys.executable, str(script), given])
        peak = 0
        while process.poll() is None:
            peak = max(peak, memory(process.pid))
            time.sleep(EVERY)
        seconds = time.perf_counter() - began
        if process.returncode:
            raise SystemExit(f"building failed with exit code {process.returncode}")
        results = json.loads((out / "results.json").read_text())
    return {
        "seconds": seconds,
        "bytes": results["cleaning"]["bytes"][0],
        "kept": results["documents_kept"] / results["cleaning"]["documents"][0],
        "peak": peak,
    }


def memory(pid: int) -> int:
    """Bytes that a process and all its children hold now; 0 where /proc does not tell."""
    total = 0
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total = int(line.split()[1]) * 1024
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                total += memory(int(child))
    except OSError:  # it has ended meanwhile
        pass
    return total


def table(taken: dict[str, list[dict[str, Any]]]) -> tuple[list[str], list[list[str]]]:
    """Heading and rows."""
    heading = ["", "MB/s, median", "slowest", "fastest", "seconds", "documents kept", "memory, GB"]
    rows = []
    for name, measures in taken.items():
        speeds = sorted(m["bytes"] / 1e6 / m["seconds"] for m in measures)
        rows.append(
            [
                name,
                f"{statistics.median(speeds):.1f}",
                f"{speeds[0]:.1f}",
                f"{speeds[-1]:.1f}",
                f"{statistics.median(m['seconds'] for m in measures):.1f}",
                f"{100 * measures[0]['kept']:.1f}%",
                f"{max(m['peak'] for m in measures) / 1e9:.2f}",
            ]
        )
    return heading, rows


def machine(arguments: argparse.Namespace) -> str:
    """What the figures were taken on."""
    names = ", ".join(file.name for file in arguments.inputs)
    versions = ", ".join(f"{name} {version(name)}" for name in ("polars", "rensa"))
    load = os.getloadavg()[0]
    return (
        f"Input: {names}. {arguments.workers} workers on {jobs.cores()} cores "
        f"({platform.machine()}), load {load:.1f} at the end; {arguments.repeats} runs each, in "
        f"turn. Python {platform.python_version()}, {versions}."
    )


if __name__ == "__main__":
    main()

"""How fast a corpus is built, in how much memory, and that it is the same however it is built.

    python benchmarks/corpus.py speed train.txt train.txt.xz --out speed.json
    python benchmarks/corpus.py growth train.txt --times 1 2 4 --out growth.json
    python benchmarks/corpus.py datatrove train.txt --python VENV/bin/python --out datatrove.json
    python benchmarks/corpus.py same raw_sample.txt --kills 10 --out same.json

A file that is not there is looked for in $LIGERO_DATA/corpus. Each way of building runs in processes
of its own, in turn, as often as asked. Megabytes are 10^6 bytes of UTF-8 as read. Memory is the sum
over all processes of what is theirs alone plus their share of the rest (PSS), sampled. "Others" is
how many cores other processes of the machine kept busy meanwhile.
"""

import argparse
import contextlib
import hashlib
import json
import os
import platform
import random
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ligero import jobs, runs
from ligero.report import tables

EXACT, NEAR = "cleaning, exact copies", "cleaning, exact and near copies"
WAYS = {
    EXACT: {"copies": True, "near_copies": False},
    NEAR: {"copies": True, "near_copies": True},
}
EVERY = 0.2  # seconds between samples of memory
TICK = os.sysconf("SC_CLK_TCK")
HERE = Path(__file__).parent

BUILD = """
import json, sys
from ligero.corpus.build import Settings, build

if __name__ == "__main__":
    inputs, out, workers, settings = json.loads(sys.argv[1])
    build(inputs, out, Settings(**settings), workers)
"""


def main() -> None:
    """Measure, print a table, and write the figures down."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("speed", "growth", "datatrove", "same"))
    parser.add_argument("inputs", nargs="+", type=found)
    parser.add_argument("--workers", type=int, nargs="+", default=[jobs.cores()])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--times", type=int, nargs="+", default=[1, 2, 4], help="growth: the sizes")
    parser.add_argument("--python", help="datatrove: the Python that has it, and spaCy")
    parser.add_argument("--lid", type=Path, help="datatrove: fastText's model of languages")
    parser.add_argument("--slice", type=int, default=32 << 20, help="datatrove: bytes of the text")
    parser.add_argument("--kills", type=int, default=10, help="same: how often it is killed")
    parser.add_argument("--part", type=int, default=1 << 20, help="same: bytes of a part")
    parser.add_argument("--out", type=Path, help="a JSON file for all figures")
    arguments = parser.parse_args()
    measure = {"speed": speed, "growth": growth, "datatrove": against, "same": same}
    with tempfile.TemporaryDirectory() as place:
        rows = measure[arguments.what](arguments, Path(place))
    if arguments.out:
        arguments.out.write_text(json.dumps(rows, indent=2, ensure_ascii=False) + "\n")
    heading, *_ = rows
    shown = [[str(value) for value in row.values()] for row in rows]
    print(f"{tables.markdown(list(heading), shown)}\n\n{machine(arguments)}")


def found(name: str) -> Path:
    """A file, given as a path or by its name in the folder of data."""
    path = Path(name)
    return path if path.exists() else Path(os.environ.get("LIGERO_DATA", ".")) / "corpus" / name


def speed(arguments: argparse.Namespace, place: Path) -> list[dict[str, Any]]:
    """Every way, from every input alone, with every number of workers."""
    taken: dict[tuple[str, str, int], list[dict[str, float]]] = {}
    for _ in range(arguments.repeats):
        for file in arguments.inputs:
            for workers in arguments.workers:
                for way, settings in WAYS.items():
                    got = ours([file], place, workers, settings)
                    taken.setdefault((way, file.suffix, workers), []).append(got)
                    say(f"{way}, {file.name}, {workers} workers: {got}")
    return [
        {"": way, "from": suffix, "workers": workers, **summary(measures)}
        for (way, suffix, workers), measures in taken.items()
    ]


def growth(arguments: argparse.Namespace, place: Path) -> list[dict[str, Any]]:
    """The whole way, from a text written several times over, each time with other words in it."""
    text = place / "text.txt"
    rows = []
    for times in arguments.times:
        with text.open("wb") as file:
            for number in range(times):
                file.write(varied(arguments.inputs[0].read_bytes(), number))
        for workers in arguments.workers:
            got = [ours([text], place, workers, WAYS[NEAR]) for _ in range(arguments.repeats)]
            say(f"{times} times, {workers} workers: {got}")
            rows.append(
                {"text, MB": round(got[0]["bytes"] / 1e6), "workers": workers, **summary(got)}
            )
    return rows


def varied(text: bytes, number: int) -> bytes:
    """`text` with one word in six made another, so that neither line nor document is a copy."""
    if not number:
        return text
    ending = b"aeiou"[number : number + 1] + b"z"
    return re.sub(rb"(\w+)((?:\W+\w+){5})", rb"\1" + ending + rb"\2", text)


def against(arguments: argparse.Namespace, place: Path) -> list[dict[str, Any]]:
    """Ours and datatrove's from the same text, in turn."""
    text = place / "slice.txt"
    data = arguments.inputs[0].read_bytes()[: arguments.slice]
    text.write_bytes(data[: data.rindex(b"\n\n") + 1])
    size, workers = text.stat().st_size, arguments.workers[0]
    # A file for each worker, the documents dealt out in turn: ready for datatrove, not counted.
    documents = text.read_text().split("\n\n")
    given, few = place / "given", place / "few"
    deal(documents, given, workers)
    deal(documents[: len(documents) // 8], few, workers)
    taken: dict[str, list[dict[str, Any]]] = {}

    def theirs(step: str, source: Path, size: int = size) -> dict[str, Any]:
        out = place / step
        shutil.rmtree(out, ignore_errors=True)
        script, lid = str(HERE / "corpus_datatrove.py"), str(arguments.lid or "")
        command = [arguments.python, script, step, str(source), str(out), str(workers), lid]
        got: dict[str, Any] = watched(command, place / "datatrove.log") | {"bytes": size}
        return got | {"executors": json.loads((out / "times.json").read_text())}

    def took(name: str, got: dict[str, Any]) -> None:
        taken.setdefault(name, []).append(got)
        say(f"{name}: {got}")

    for _ in range(arguments.repeats):
        took(f"ligero: {EXACT}", ours([text], place, workers, WAYS[EXACT]))
        took(f"datatrove: {EXACT}", theirs("exact", given))
        took(f"ligero: {NEAR}", ours([text], place, workers, WAYS[NEAR]))
        took("datatrove: near copies alone", theirs("near", place / "exact" / "text"))
        for way, settings in WAYS.items():
            took(f"ligero: {way}, the whole text", ours(arguments.inputs, place, workers, settings))
        # So slow that an eighth has to do.
        eighth = sum(len(each.encode()) + 2 for each in documents[: len(documents) // 8])
        took(f"datatrove: {EXACT}, filters of quality", theirs("usual", few, eighth))
    rows = [{"": name, **summary(measures)} for name, measures in taken.items()]
    for row, measures in zip(rows, taken.values(), strict=True):
        if "executors" in measures[0]:
            row["executors, s"] = "; ".join(
                f"{name} {statistics.median(m['executors'][name] for m in measures):.1f}"
                for name in measures[0]["executors"]
            )
        else:
            row["executors, s"] = ""
    return rows


def deal(documents: Sequence[str], folder: Path, files: int) -> None:
    """Write documents as JSON lines, dealt out to `files` in turn."""
    folder.mkdir()
    for number in range(files):
        lines = [
            json.dumps({"text": each}, ensure_ascii=False) for each in documents[number::files]
        ]
        (folder / f"{number:05d}.jsonl").write_text("\n".join(lines) + "\n")


def same(arguments: argparse.Namespace, place: Path) -> list[dict[str, Any]]:
    """The hash of the text, with 1, 2 and 7 workers, and killed again and again on the way."""
    rows = []
    settings = WAYS[NEAR] | {"part_bytes": arguments.part}
    for workers in (1, 2, 7):
        out = place / f"with-{workers}"
        got = ours(arguments.inputs, place, workers, settings, out)
        rows.append(row(f"{workers} workers", [], outcome(out)))
        say(f"{rows[-1]}: {got}")
    rng, out, stages = random.Random(5), place / "killed", list[str]()
    while True:
        process = start(arguments.inputs, place, 2, settings, out)
        with contextlib.suppress(subprocess.TimeoutExpired):
            # It goes on from where it was killed, so that most of what it is given is enough.
            late = len(stages) >= arguments.kills
            process.wait(None if late else rng.uniform(0.1, 0.7) * got["seconds"])
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            begun = sorted(out.glob("checkpoints/*"), key=lambda path: path.stat().st_mtime)
            stages.append(
                "text" if (out / "text").exists() else begun[-1].name if begun else "start"
            )
            continue
        if process.returncode:
            raise SystemExit((place / "log").read_text())
        rows.append(row("2 workers, killed", stages, outcome(out)))
        say(str(rows[-1]))
        if len(stages) >= arguments.kills:
            return rows
        # Finished before the last kill: the others fall into another run.
        shutil.rmtree(out)


def row(name: str, stages: Sequence[str], digest: str) -> dict[str, Any]:
    """A row of the table of what was the same."""
    return {"": name, "kills so far, in": ", ".join(stages), "SHA-256 of the text": digest}


def outcome(out: Path) -> str:
    """A hash over the parts' text and counts, as their manifests have them, and the results."""
    digest = hashlib.sha256()
    for part in sorted((out / "text").iterdir()):
        digest.update(f"{part.name} {runs.read_json(part / runs.MANIFEST)['files']}\n".encode())
        text = runs.sha256(part / "text.parquet")
        digest.update(text.encode())
    digest.update(runs.sha256(out / "results.json").encode())
    return digest.hexdigest()


def start(
    inputs: Sequence[Path], place: Path, workers: int, settings: Mapping[str, int], out: Path
) -> subprocess.Popen[bytes]:
    """Begin to build, in a process group of its own."""
    script = place / "build.py"
    script.write_text(BUILD)
    given = json.dumps([[str(file) for file in inputs], str(out), workers, settings])
    with (place / "log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, str(script), given], stdout=log, stderr=log, start_new_session=True
        )


def ours(
    inputs: Sequence[Path],
    place: Path,
    workers: int,
    settings: Mapping[str, int],
    keep: Path | None = None,
) -> dict[str, float]:
    """Build once: seconds, bytes read, documents kept, memory. The corpus goes, unless to `keep`."""
    out = keep or place / "out"
    script = place / "build.py"
    script.write_text(BUILD)
    given = json.dumps([[str(file) for file in inputs], str(out), workers, settings])
    got = watched([sys.executable, str(script), given], place / "log")
    results = json.loads((out / "results.json").read_text())
    if not keep:
        shutil.rmtree(out)
    documents = results["cleaning"]["documents"][0]
    kept = {"kept": results["documents_kept"] / documents}
    # Lines' ends are not among the bytes of the tally.
    return got | {"bytes": results["cleaning"]["bytes"][0]} | kept


def watched(command: Sequence[str], log: Path) -> dict[str, float]:
    """Run a command: seconds, seconds of processors, memory, and what others took meanwhile."""
    with log.open("ab") as file:
        began, busy = time.perf_counter(), busy_seconds()
        process = subprocess.Popen(command, stdout=file, stderr=file)
        peak, spent = 0, dict[int, float]()
        while process.poll() is None:
            peak = max(peak, look(process.pid, spent))
            time.sleep(EVERY)
        seconds, busy = time.perf_counter() - began, busy_seconds() - busy
    if process.returncode:
        raise SystemExit(f"exit code {process.returncode}\n{log.read_text()[-5000:]}")
    cpu = sum(spent.values())
    return {"seconds": seconds, "cpu": cpu, "others": max(0, busy - cpu) / seconds, "peak": peak}


def look(pid: int, spent: dict[int, float]) -> int:
    """Bytes that a process and all its children hold now; what each has spent goes to `spent`."""
    total = 0
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        spent[pid] = (int(fields[11]) + int(fields[12])) / TICK
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total = int(line.split()[1]) * 1024
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                total += look(int(child), spent)
    except OSError:  # it has ended meanwhile
        pass
    return total


def busy_seconds() -> float:
    """Seconds that all processors of the machine have worked so far."""
    user, nice, system = map(int, Path("/proc/stat").read_text().split()[1:4])
    return (user + nice + system) / TICK


def summary(measures: Sequence[dict[str, Any]]) -> dict[str, str]:
    """The columns that all tables have."""
    speeds = sorted(m["bytes"] / 1e6 / m["seconds"] for m in measures)
    best = max(measures, key=lambda m: m["bytes"] / m["seconds"])
    alone = f"{best['others']:.2f}"
    return {
        "MB/s, median": f"{statistics.median(speeds):.2f}",
        "slowest": f"{speeds[0]:.2f}",
        "fastest": f"{speeds[-1]:.2f}",
        "others in that one, cores": alone,
        "others, cores": f"{statistics.mean(m['others'] for m in measures):.2f}",
        "MB per core second": f"{statistics.median(m['bytes'] / 1e6 / m['cpu'] for m in measures):.2f}",
        "memory, GB": f"{max(m['peak'] for m in measures) / 1e9:.2f}",
    }


def say(text: str) -> None:
    """A line on how it goes."""
    print(text, file=sys.stderr, flush=True)


def machine(arguments: argparse.Namespace) -> str:
    """What the figures were taken on."""
    names = ", ".join(file.name for file in arguments.inputs)
    versions = ", ".join(f"{name} {version(name)}" for name in ("polars", "rensa", "numpy"))
    return (
        f"Input: {names}. {jobs.cores()} cores ({platform.machine()}), load {os.getloadavg()[0]:.1f} at"
        f" the end; {arguments.repeats} runs each, in turn. Python {platform.python_version()}, {versions}."
    )


if __name__ == "__main__":
    main()

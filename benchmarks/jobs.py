"""What it costs to have a job done, beyond the job: 200 trivial ones, in every way they can be done.

    python benchmarks/jobs.py --out benchmarks/results/jobs.md

A job writes one file of a few bytes. What is added: it is handed to a worker, its folder is made,
gets its manifest with checksums, is brought to the disk (fsync) and renamed, and is looked at again.
Workers are started before the clock is. The goal is under 20 ms a job.
"""

import argparse
import json
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ligero import machine
from ligero.cluster import crew
from ligero.jobs import Crew, Job
from ligero.report import tables

GOAL_MS = 20.0
ALONE, TWO, RAY = "in this process", "2 workers", "Ray on this machine, 2 slots"
WAYS: dict[str, dict[str, Any]] = {
    ALONE: {"workers": 1, "cluster": None},
    TWO: {"workers": 2, "cluster": None},
    RAY: {"workers": None, "cluster": "local"},
}


def trivial(folder: Path, number: int) -> None:
    """The job."""
    (folder / "number.txt").write_text(str(number))


def main() -> None:
    """Measure in turn, and write a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    # Where Ray's workers find this file; others are told by multiprocessing.
    os.environ["PYTHONPATH"] = str(Path(__file__).parent)
    found: dict[str, list[float]] = {"the work itself": [], **{way: [] for way in known()}}
    for _ in range(arguments.rounds):
        found["the work itself"].append(timed(arguments.jobs, bare))
        for way in known():
            with started(way) as workers:
                found[way].append(timed(arguments.jobs, workers.run))
        print({way: round(times[-1], 2) for way, times in found.items()}, flush=True)
    report(found, arguments)


def known() -> list[str]:
    """The ways that there are here."""
    return [way for way in WAYS if way != RAY or find_spec("ray") is not None]


@contextmanager
def started(way: str) -> Iterator[Crew]:
    """A crew that has done something already."""
    with crew(**WAYS[way]) as workers, tempfile.TemporaryDirectory() as place:
        workers.run(listed(Path(place), 8))
        yield workers


def listed(place: Path, count: int) -> list[Job]:
    """So many jobs."""
    return [Job(place / f"job-{n:05d}", "jobs:trivial", {"number": n}) for n in range(count)]


def bare(jobs: list[Job]) -> None:
    """The work, and nothing else."""
    for job in jobs:
        job.folder.mkdir()
        trivial(job.folder, **job.arguments)


def timed(count: int, do: Callable[[list[Job]], None]) -> float:
    """Milliseconds a job."""
    place = Path(tempfile.mkdtemp())
    try:
        jobs = listed(place, count)
        began = time.perf_counter()
        do(jobs)
        return 1000 * (time.perf_counter() - began) / count
    finally:
        shutil.rmtree(place)


def report(found: dict[str, list[float]], arguments: argparse.Namespace) -> None:
    """Print, and write where asked."""
    work = statistics.median(found["the work itself"])
    rows = []
    for way, times in found.items():
        beyond = statistics.median(times) - work
        reached = "" if way not in WAYS else "yes" if beyond < GOAL_MS else "no"
        rows.append(
            [way, *(f"{f(times):.2f}" for f in (statistics.median, min, max)), f"{beyond:.2f}", reached]
        )  # fmt: skip
    heading = ["way", "ms a job, median", "fastest", "slowest", "beyond the work", "under 20 ms"]
    text = (
        f"# What a job costs beyond its work\n\n{tables.markdown(heading, rows)}\n\n"
        f"{arguments.jobs} jobs that write a few bytes each, {arguments.rounds} rounds in turn; by the "
        "clock, so that two workers share it. Workers were started before.\n\n"
        f"{machine.footer('ligero', 'ray')}"
    )
    print(text)
    if arguments.out:
        arguments.out.write_text(text, encoding="utf-8")
        figures = {"goal_ms": GOAL_MS, "ms_a_job": found, **machine.facts(("ligero", "ray"))}
        arguments.out.with_suffix(".json").write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()

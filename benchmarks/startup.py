"""How soon the command line answers: `ligero --help` beside a bare interpreter, in turn.

    python benchmarks/startup.py --machine "2 cores, ..."

Writes `benchmarks/results/startup.json`. The goal is under 0.3 s.
"""

import argparse
import datetime
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

from ligero import __version__
from ligero.runs import write_json

GOAL_SECONDS = 0.3
COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "ligero --help": [sys.executable, "-m", "ligero", "--help"],
    "ligero compress --help": [sys.executable, "-m", "ligero", "compress", "--help"],
}


def main() -> None:
    """Time the commands in turn, and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--machine", default="", help="the machine in words")
    chosen = parser.parse_args()
    taken: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(chosen.rounds + 1):
        for name, command in COMMANDS.items():
            began = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            taken[name].append(time.perf_counter() - began)
    # The first round fills the disk's cache and writes byte code.
    seconds = {name: times[1:] for name, times in taken.items()}
    result = {
        "goal_seconds": GOAL_SECONDS,
        "seconds": {
            name: {"median": round(statistics.median(t), 4), "max": round(max(t), 4)}
            for name, t in seconds.items()
        },
        "rounds": chosen.rounds,
        "date": datetime.date.today().isoformat(),
        "machine": chosen.machine or f"{platform.machine()}, {os.cpu_count()} cores",
        "python": platform.python_version(),
        "ligero": __version__,
    }
    write_json(Path(__file__).parent / "results" / "startup.json", result)
    for name, times in seconds.items():
        print(f"{name:24} median {statistics.median(times):.3f} s, longest {max(times):.3f} s")


if __name__ == "__main__":
    main()

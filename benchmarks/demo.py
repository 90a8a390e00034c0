"""How long the demo takes, once installed: the three commands of `make demo`, one after another.

    python benchmarks/demo.py --machine "2 cores, ..."

Writes `benchmarks/results/demo.json`. The goal is under 180 s on two cores.
"""

import argparse
import datetime
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ligero import __version__
from ligero.runs import write_json

GOAL_SECONDS = 180
HERE = Path(__file__).parent


def main() -> None:
    """Run and time the commands in an empty folder, and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--machine", default="", help="the machine in words")
    chosen = parser.parse_args()
    taken = {}
    with tempfile.TemporaryDirectory() as folder:
        data, run = Path(folder, "data"), Path(folder, "run")
        files = [f"--{name}={data}/{name}.conll" for name in ("train", "dev", "test")]
        files.append(f"--unlabeled={data}/text.txt")
        recipe = HERE.parent / "recipes" / "demo.toml"
        commands = {
            "demo": [str(data)],
            "compress": [f"--config={recipe}", f"--out={run}", f"--cache={folder}/cache", *files],
            "predict": [str(run), "La ministra Nieves Córdoba viajó a Córdoba."],
        }
        for verb, arguments in commands.items():
            began = time.perf_counter()
            subprocess.run([sys.executable, "-m", "ligero", verb, *arguments], check=True)
            taken[verb] = round(time.perf_counter() - began, 1)
        results = json.loads((run / "results.json").read_text(encoding="utf-8"))
    write_json(
        HERE / "results" / "demo.json",
        {
            "goal_seconds": GOAL_SECONDS,
            "seconds": {**taken, "together": round(sum(taken.values()), 1)},
            "f1 on made-up test sentences": {
                name: round(row["test"]["f1"], 2) for name, row in results["models"].items()
            },
            "date": datetime.date.today().isoformat(),
            "machine": chosen.machine or f"{platform.machine()}, {os.cpu_count()} cores",
            "python": platform.python_version(),
            "ligero": __version__,
        },
    )
    print(f"{sum(taken.values()):.0f} s together, of {GOAL_SECONDS}")


if __name__ == "__main__":
    main()

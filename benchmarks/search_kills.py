"""A search whose driver and workers are killed at random beside one that is left in peace.

    python benchmarks/search_kills.py --out benchmarks/results/search-kills.md

Both go from candidates to students (`verb = "compress"`) with two workers, on made-up text. A kill is
SIGKILL, at a random moment, of the driver (which is then started again) or of one of its workers (which
the driver has to replace). What both come to must be the same to the last digit.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from ligero import machine
from ligero.report import tables

RECIPE = """
verb = "compress"
student = "ligero-nano"
[data]
train = "{data}/train.conll"
dev = "{data}/dev.conll"
test = "{data}/test.conll"
[vocab]
size = 500
[teacher_fit]
epochs = 3
checkpoint_seconds = 1
[student_fit]
epochs = 3
checkpoint_seconds = 1
[place]
threads = 1
[search.over]
teacher = ["ligero-micro", "ligero-nano"]
"teacher_fit.learning_rate" = [5e-4, 1e-3]
"student_fit.learning_rate" = [5e-4, 1e-3, 2e-3]
"distill.loss" = ["kl", "mse"]
"""
# Seconds until the next kill: at random, to the longest of these.
LONGEST = 12.0
# Seconds after the death of its driver by which a worker must have ended as well.
ORPHANED = 60.0


def main() -> None:
    """Search twice, and write a page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        subprocess.run([sys.executable, "-m", "ligero", "demo", str(place / "data")], check=True)
        recipe = place / "kills.toml"
        recipe.write_text(RECIPE.format(data=place / "data"), encoding="utf-8")
        began = time.monotonic()
        assert start(recipe, place / "calm", place).wait() == 0
        calm_s = time.monotonic() - began
        began = time.monotonic()
        kills = torn(recipe, place / "torn", place, arguments.kills, random.Random(arguments.seed))
        torn_s = time.monotonic() - began
        calm, other = (come_to(place / which) for which in ("calm", "torn"))
    same = calm == other
    for key in calm:
        if calm[key] != other.get(key):
            print(f"{key}:\n  {calm[key]}\n  {other.get(key)}", file=sys.stderr)
    rows = [[str(n + 1), k["who"], f"{k['at']:.0f}", k["state"]] for n, k in enumerate(kills)]
    text = f"""# A search that is killed

{len(calm)} trials (candidates, then students of the best) by two workers, {calm_s:.0f} s when left in peace;
{torn_s:.0f} s with {len(kills)} kills. Outcomes, scores and losses of both searches: \
**{"the same to the last digit" if same else "NOT the same"}**.

{tables.markdown(["kill", "of", "after s", "trials ended by then"], rows)}

{machine.footer("ligero", "torch", "transformers")}"""
    print(text)
    arguments.out.write_text(text, encoding="utf-8")
    figures = {
        "same": same,
        "calm_s": calm_s,
        "torn_s": torn_s,
        "kills": kills,
        "trials": len(calm),
    }
    arguments.out.with_suffix(".json").write_text(json.dumps(figures, indent=1) + "\n")
    sys.exit(0 if same else 1)


def start(recipe: Path, out: Path, place: Path) -> subprocess.Popen[bytes]:
    """A driver."""
    command = [sys.executable, "-m", "ligero", "search", str(recipe), "--out", str(out)]
    environment = {**os.environ, "LIGERO_CACHE": str(place / f"cache-{out.name}")}
    with (place / "log").open("ab") as log:
        return subprocess.Popen(
            [*command, "--workers", "2"], stderr=log, stdout=log, env=environment
        )


def torn(
    recipe: Path, out: Path, place: Path, most: int, rng: random.Random
) -> list[dict[str, Any]]:
    """Search to the end, killed `most` times; who was killed, and when."""
    kills: list[dict[str, Any]] = []
    driver = start(recipe, out, place)
    while driver.poll() is None:
        if len(kills) == most:
            driver.wait()
            break
        wait = rng.uniform(1, LONGEST)
        began = time.monotonic()
        try:
            driver.wait(timeout=wait)
            break
        except subprocess.TimeoutExpired:
            pass
        workers = workers_of(driver.pid)
        victim = rng.choice(workers) if workers and rng.random() < 0.5 else driver.pid
        os.kill(victim, signal.SIGKILL)
        ended = sum(1 for _ in out.glob("*/outcomes/*/outcome.json"))
        who = "the driver" if victim == driver.pid else "a worker"
        kills.append({"who": who, "at": time.monotonic() - began, "state": str(ended)})
        if victim == driver.pid:
            driver.wait()
            gone(workers)
            driver = start(recipe, out, place)
    assert driver.returncode == 0, (place / "log").read_text()[-2000:]
    assert len(kills) == most, f"it ended after {len(kills)} kills"
    return kills


def workers_of(driver: int) -> list[int]:
    """The processes that do a driver's trials."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
            command = (folder / "cmdline").read_bytes()
        except (OSError, ValueError):
            continue
        if parent == driver and b"spawn_main" in command:
            found.append(int(folder.name))
    return found


def gone(workers: list[int]) -> None:
    """Wait until workers without a driver have ended."""
    deadline = time.monotonic() + ORPHANED
    while time.monotonic() < deadline:
        if not any(Path(f"/proc/{pid}").exists() for pid in workers):
            return
        time.sleep(0.1)
    raise AssertionError(f"workers that outlive their driver by {ORPHANED:.0f} s: {workers}")


def come_to(out: Path) -> dict[str, Any]:
    """Trial -> all it came to that does not tell the time or the folder."""
    found = json.loads((out / "results.json").read_text())
    told = {}
    for name, one in found["rounds"].items():
        for o in one["outcomes"]:
            values = {key: value for key, value in o["values"].items() if key != "teacher"}
            figures = {split: dict(o[split] or {}) for split in ("dev", "test")}
            for row in figures.values():
                row.pop("seconds_per_1000", None)
            key = f"{name} {json.dumps(values, sort_keys=True)}"
            told[key] = [
                o["state"],
                o["notes"],
                figures,
                o["interval"],
                o["evaluations"],
                o["parameters"],
            ]
    return told


if __name__ == "__main__":
    main()

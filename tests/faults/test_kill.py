"""Killed at any moment and started again, a run ends as if nothing had happened.

`ligero compress` goes down the whole road (vocabulary, fine-tuned teacher, teacher outputs, student
alone, distilled student), saves at every step, and is killed again and again with SIGKILL: at random
moments, and the moment it begins to write something in particular.
"""

import os
import random
import signal
import time
from collections import Counter
from pathlib import Path

import small
from forks import Forks

from ligero.runs import sha256

KILLS = 20  # at least; some sixty in practice

# What is written under these names while it is not whole yet.
MARKS = (".vocab~", ".step-", ".best-", ".model~", ".shard-", ".results.json~", ".manifest.json~")
# A road in the order in which it writes; "" is any moment.
ALONG = [
    "", "", ".vocab~", "", ".step-", "", ".best-", ".model~", ".results.json~", ".step-", "",
    ".model~", ".manifest.json~", "", ".shard-", ".step-", "", ".best-", ".model~", ".results.json~",
]  # fmt: skip


def test_a_run_killed_at_any_moment_ends_with_the_same_bits(tmp_path):
    data = small.write(tmp_path / "data")
    killed: Counter[str] = Counter()
    with Forks() as forks:
        calm = tmp_path / "calm"
        started = time.monotonic()
        code = forks.run(small.compress(data, calm / "out", calm / "cache"), tmp_path / "calm.log")
        took = time.monotonic() - started
        assert code == 0, (tmp_path / "calm.log").read_text()
        expected = _left(calm)
        # The same seeds kill at other moments on another machine: any moment must do.
        for number, marks in enumerate((ALONG, ALONG, [], [])):
            place = tmp_path / f"round-{number}"
            _torment(forks, data, place, random.Random(number), took, marks, killed)
            assert _left(place) == expected
            assert _half_written(place) == []
    print(f"\n{killed.total()} kills:", ", ".join(f"{n} {k}" for k, n in sorted(killed.items())))
    assert killed.total() >= KILLS
    during = {kind: count for kind, count in killed.items() if kind in MARKS}
    assert during.get(".step-", 0) >= 3
    assert len(during) >= 4, f"only these were caught while they were written: {during}"


def _torment(forks, data, place, rng, took, marks, killed):
    """Start the road and kill it until it gets to its end before the kill does."""
    place.mkdir()
    log = place.with_suffix(".log")
    arguments = small.compress(data, place / "out", place / "cache")
    for number in range(100):
        pid = forks.start(arguments, log)
        mark = marks[number] if number < len(marks) else ""
        # A mark is waited for as long as it takes; the first two kills fall on the start itself.
        moment = rng.uniform(0.0, 0.1 if number < 2 else 0.2 * took)
        if not _wait(forks, place, mark, 60.0 if mark else moment):
            os.kill(pid, signal.SIGKILL)
        code = forks.code()
        if code == 0:
            return
        assert code == -signal.SIGKILL, log.read_text()
        caught = [m for m in MARKS for name in _half_written(place) if name.startswith(m)]
        killed[caught[0] if caught else "between saves"] += 1
    raise AssertionError(f"not at its end after {number + 1} kills: {log.read_text()[-2000:]}")


def _wait(forks, place, mark, seconds) -> bool:
    """Until `mark` is being written, or the time is over, or the run has ended: whether it has."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if forks.ended(0.0005):
            return True
        if mark and any(name.startswith(mark) for name in _half_written(place)):
            return False
    return False


def _half_written(place: Path) -> list[str]:
    return [
        name
        for _, folders, files in os.walk(place)
        for name in (*folders, *files)
        if name.startswith(".") and name.endswith(".tmp")
    ]


def _left(place: Path) -> dict[str, str]:
    """Everything a road leaves that does not tell the time: file -> its hash."""
    kinds = ("*.safetensors", "metrics.jsonl", "tokenizer.json", "config.json")
    found = {
        str(path.relative_to(place)): sha256(path) for kind in kinds for path in place.rglob(kind)
    }
    models = [name for name in found if name.endswith("model/model.safetensors")]
    assert len(models) == 3 and any("shard" in name for name in found)
    return found

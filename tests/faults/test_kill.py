"""Killed at any moment and started again, a run ends as if nothing had happened.

`ligero compress` goes down the whole road (vocabulary, fine-tuned teacher, teacher outputs, student
alone, distilled student), saves at every step, and is killed again and again with SIGKILL: at random
moments, and the moment it begins to write something in particular.
"""

import os
import random
import signal
from collections import Counter
from pathlib import Path

import small

KILLS = 40

# What is written under these names while it is not whole yet, and how often its writer then touches
# it at least: a folder is made, filled, listed, given its manifest, and renamed.
MARKS = {
    ".vocab~": 6, ".step-": 6, ".best-": 6, ".model~": 6, ".shard-": 6,
    ".results.json~": 2, ".manifest.json~": 2,
}  # fmt: skip
# A road in the order in which it writes; "" is any of the next files that it touches.
ALONG = [
    ".vocab~", "", "", ".step-", "", ".best-", ".model~", ".results.json~", ".step-", "",
    ".model~", ".manifest.json~", ".shard-", "", ".step-", ".best-", ".model~", ".results.json~",
]  # fmt: skip


def test_a_run_killed_at_any_moment_ends_with_the_same_bits(forks, data, calm, tmp_path):
    expected = small.left(calm.place)
    assert sum(name.endswith("model/model.safetensors") for name in expected) == 3
    killed: Counter[str] = Counter()
    # Two roads killed in the middle of what they write, then others at random moments.
    for number in range(10):
        place = tmp_path / f"round-{number}"
        marks = ALONG if number < 2 else []
        _torment(forks, data, place, random.Random(number), calm.seconds, marks, killed)
        assert small.left(place) == expected
        assert _half_written(place) == []
        if number > 2 and killed.total() >= KILLS:
            break
    print(f"\n{killed.total()} kills:", ", ".join(f"{k} {n}" for k, n in sorted(killed.items())))
    assert killed.total() >= KILLS
    for mark in (".vocab~", ".step-", ".best-", ".model~", ".shard-"):
        assert killed[mark], f"never killed while it wrote {mark}"


def _torment(forks, data, place, rng, took, marks, killed):
    """Start the road and kill it until it gets to its end before the kill does."""
    place.mkdir()
    log = place.with_suffix(".log")
    arguments = small.compress(data, place / "out", place / "cache")
    for number in range(100):
        if number < len(marks):
            mark = marks[number] or str(place)
            forks.start(arguments, log, dies=(mark, rng.randint(2, MARKS.get(mark, 60))))
        else:
            pid = forks.start(arguments, log)
            # The first two kills fall on the start itself; later ones leave ever more time, so that
            # a machine that has slowed down since gets to the end as well.
            longest = 0.03 * took if number < 2 else 0.2 * took * (1 + number / 20)
            if not forks.ended(rng.uniform(0.0, longest)):
                os.kill(pid, signal.SIGKILL)
        code = forks.code()
        if code == 0:
            return
        assert code == -signal.SIGKILL, log.read_text()
        caught = [m for m in MARKS for name in _half_written(place) if name.startswith(m)]
        killed[caught[0] if caught else "between saves"] += 1
    raise AssertionError(f"not at its end after {number + 1} kills: {log.read_text()[-2000:]}")


def _half_written(place: Path) -> list[str]:
    return [
        name
        for _, folders, files in os.walk(place)
        for name in (*folders, *files)
        if name.startswith(".") and name.endswith(".tmp")
    ]

"""Killed at any moment and started again, a pre-training ends as if nothing had happened.

In the middle of a step, of a checkpoint, of the end of a phase, and between two phases.
"""

import os
import random
import shutil
import signal
import time
from collections import Counter

import pytest

import small
import small_text

KILLS = 14

# Killed while it writes something in particular, as often as it touches it at least.
MARKS = {".step-": 6, ".best-": 6, ".end~": 6, ".model~": 6, ".results.json~": 2}


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    return small_text.make(tmp_path_factory.mktemp("text"), 40, size=300)


def command(text, place):
    """Words and order, with dropout, in two phases."""
    values = small_text.settings(text, place / "out", model=small.TEACHER, objective="masked+order")
    place.mkdir(exist_ok=True)
    (place / "settings.toml").write_text(small_text.toml(values))
    return ["pretrain", "--config", str(place / "settings.toml")]


def half_written(place):
    return [
        name
        for _, folders, files in os.walk(place)
        for name in (*folders, *files)
        if name.startswith(".") and name.endswith(".tmp")
    ]


def reached(out):
    """How far a run has come: what it would go on with."""
    for number in (2, 1):
        phase = out / f"phase-{number}"
        if (phase / "end").exists():
            return f"after phase {number}"
        if any(phase.glob("checkpoints/step-*")):
            return f"in phase {number}"
    return "before a step"


def test_a_pretraining_killed_at_any_moment_ends_with_the_same_bits(forks, text, tmp_path):
    calm = tmp_path / "calm"
    log = tmp_path / "log"
    began = time.monotonic()
    assert forks.run(command(text, calm), log) == 0, log.read_text()
    took = time.monotonic() - began
    expected = small.left(calm / "out")
    assert {"model/model.safetensors", "phase-1/metrics.jsonl", "phase-2/metrics.jsonl"} <= set(
        expected
    )
    killed: Counter[str] = Counter()
    caught: Counter[str] = Counter()
    for number in range(8):
        rng = random.Random(number)
        place = tmp_path / f"round-{number}"
        arguments = command(text, place)
        # First in the order in which it writes, then at random moments.
        marks = [".step-", ".best-", ".end~", ".step-", ".end~", ".model~", ".results.json~"]
        for attempt in range(60):
            if number == 0 and attempt < len(marks):
                mark = marks[attempt]
                forks.start(arguments, log, dies=(mark, rng.randint(2, MARKS[mark])))
            else:
                pid = forks.start(arguments, log)
                if not forks.ended(rng.uniform(0.1, 0.5 + attempt / 10) * took):
                    os.kill(pid, signal.SIGKILL)
            code = forks.code()
            if code == 0:
                break
            assert code == -signal.SIGKILL, log.read_text()[-3000:]
            killed[reached(place / "out")] += 1
            left = half_written(place)
            caught.update(m for m in MARKS if any(name.startswith(m) for name in left))
        assert code == 0
        assert small.left(place / "out") == expected
        assert half_written(place) == [] and not list(place.rglob("checkpoints"))
        if number and killed.total() >= KILLS:
            break
    print(f"\n{killed.total()} kills: {dict(killed)}, in the middle of {dict(caught)}")
    assert killed.total() >= KILLS
    assert {"in phase 1", "after phase 1", "in phase 2"} <= set(killed), killed
    assert {".step-", ".end~", ".model~"} <= set(caught), caught


def test_between_two_phases_nothing_is_done_twice(forks, text, tmp_path):
    """Killed right after a phase's end is there, before anything of the next one is."""
    log = tmp_path / "log"
    arguments = command(text, tmp_path)
    code = forks.run(arguments, log, dies=("phase-2", 1))
    assert code == -signal.SIGKILL, log.read_text()
    out = tmp_path / "out"
    end = out / "phase-1" / "end" / "model.safetensors"
    before = end.stat().st_mtime_ns
    # As a kill leaves it that comes before what is no longer needed is gone.
    shutil.copytree(out / "phase-1" / "end", out / "phase-1" / "checkpoints" / "step-00000012")
    assert forks.run(arguments, log) == 0, log.read_text()
    assert end.stat().st_mtime_ns == before
    assert not (out / "phase-1" / "checkpoints").exists()
    assert log.read_text().count("12 steps of 4 windows") == 1

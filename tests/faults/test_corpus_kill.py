"""Killed again and again, workers and all, the building of a corpus ends with the same bytes."""

import json
import os
import random
import signal
import subprocess
import sys
import time

import small_corpus

KILLS = 10
# What appears in the folder as the stages begin. The first kills come at these, the others at random
# moments: a quick machine is done with a stage before a random kill meets it.
MARKS = ("cleaned", "verdicts", "lines")
SCRIPT = """
import json, sys
from ligero.corpus.build import Settings, build

if __name__ == "__main__":
    files, out = json.loads(sys.argv[1])
    build(files, out, Settings(part_bytes=8000), 2)
"""


def start(place, files, out):
    """Begin in a process group of its own."""
    script = place / "build.py"
    script.write_text(SCRIPT)
    arguments = [sys.executable, str(script), json.dumps([[str(file) for file in files], str(out)])]
    with (place / "log").open("ab") as log:
        return subprocess.Popen(
            arguments, stdout=log, stderr=log, start_new_session=True,
            env={**os.environ, "POLARS_MAX_THREADS": "1"},
        )  # fmt: skip


def test_a_corpus_killed_ten_times_has_the_same_bytes(tmp_path):
    files = small_corpus.write(tmp_path / "corpus", 160)
    calm, out = tmp_path / "calm", tmp_path / "out"
    began = time.monotonic()
    assert start(tmp_path, files, calm).wait(120) == 0, (tmp_path / "log").read_text()
    took = time.monotonic() - began
    rng = random.Random(11)
    marks = list(MARKS)
    kills = 0
    for attempt in range(100):
        process = start(tmp_path, files, out)
        if marks:
            ended = _ended_before(process, out / "checkpoints" / marks[0])
            assert not ended, f"the building ended before {marks[0]} appeared"
            marks.pop(0)
        else:
            # Ever longer, so that the work goes on even where starting takes most of the time.
            ended = _ended_within(process, rng.uniform(0.2, 0.5 + attempt / 20) * took)
        if not ended:
            # Now and then the first process alone: its workers must end by themselves.
            if attempt % 3:
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()
            process.wait()
            kills += 1
            continue
        assert process.returncode == 0, (tmp_path / "log").read_text()
        assert small_corpus.left(out) == small_corpus.left(calm)
        if kills >= KILLS:
            break
        subprocess.run(["rm", "-r", str(out)], check=True)
    assert kills >= KILLS
    assert not [path for path in out.rglob(".*") if path.name.endswith(".tmp")]


def _ended_before(process, mark):
    """Wait until `mark` exists. True if the process ended first."""
    while not mark.exists():
        if process.poll() is not None:
            return True
        time.sleep(0.001)
    return False


def _ended_within(process, seconds):
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True

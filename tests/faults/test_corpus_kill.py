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
    reached = set()
    kills = 0
    for attempt in range(100):
        process = start(tmp_path, files, out)
        # Ever longer, so that the work goes on even where starting takes most of the time.
        code = None
        try:
            code = process.wait(rng.uniform(0.2, 0.5 + attempt / 20) * took)
        except subprocess.TimeoutExpired:
            # Now and then the first process alone: its workers must end by themselves.
            if attempt % 3:
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()
            process.wait()
            kills += 1
            reached |= {path.name for path in out.glob("checkpoints/*")} | {
                path.name for path in out.glob("text")
            }
        if code is not None:
            assert code == 0, (tmp_path / "log").read_text()
            assert small_corpus.left(out) == small_corpus.left(calm)
            if kills >= KILLS:
                break
            subprocess.run(["rm", "-r", str(out)], check=True)
    print(f"\n{kills} kills; stages begun by then: {sorted(reached)}")
    assert kills >= KILLS
    assert {"cleaned", "verdicts", "lines"} <= reached
    assert not [path for path in out.rglob(".*") if path.name.endswith(".tmp")]

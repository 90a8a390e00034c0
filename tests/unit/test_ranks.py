"""Several processes of one run do what one does, and say so when one of them is gone."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

import ranked
import small_text
from ligero.config import PretrainConfig, build
from ligero.pretrain import stage
from ligero.train import loop, ranks

pytestmark = pytest.mark.usefixtures("one_thread")

TESTS = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    return small_text.make(tmp_path_factory.mktemp("ranks"), 40, size=300)


def run(values, **what):
    """A run of two processes; code, output, seconds."""
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    script = [str(TESTS / "ranked.py"), json.dumps({"values": values, **what})]
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, *launcher, *script], capture_output=True, text=True, timeout=200,
        env={**os.environ, "OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"},
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr, time.monotonic() - began


def values(text, out, **changes):
    return small_text.settings(text, out, dropout=0.0, **changes)


def far(one, other):
    """How far two sets of tensors are apart, of the norm of the first."""
    assert one.keys() == other.keys()
    apart = sum(float(((other[n] - one[n]) ** 2).sum()) for n in one)
    return (apart / sum(float((v**2).sum()) for v in one.values())) ** 0.5


def test_alone_it_is_one_process():
    assert (ranks.rank(), ranks.count(), ranks.tag()) == (0, 1, ())
    assert ranks.told(True) and not ranks.told(False)
    assert ranks.share([1, 2, 3]) == [1, 2, 3] and ranks.add_up([], (1.5, 2)) == [1.5, 2]
    with ranks.joined():
        ranks.wait()


# The generator's guesses are drawn: by which process must not matter.
OBJECTIVE = {"objective": "replaced"}


@pytest.fixture(scope="module")
def killed(text, tmp_path_factory):
    """Two processes whose second kills itself before the sixth step, having told a gradient."""
    place = tmp_path_factory.mktemp("killed")
    settings = values(text, place / "out", **OBJECTIVE)
    return place, run(settings, step=str(place / "two"), dies=[1, 6])


def test_two_processes_give_the_gradients_of_one(killed, text, known):
    place, _ = killed
    config = build(PretrainConfig, values(text, place / "x", **OBJECTIVE))
    ranked.gradients(config, str(place / "one"))
    one, two = (load_file(place / name) for name in ("one", "two"))
    assert int(one["told.tokens"]) == int(two["told.tokens"]) == 7 * 24
    assert float(one["told.loss"]) == pytest.approx(float(two["told.loss"]), rel=1e-6)
    gradients = [{n: v for n, v in f.items() if not n.startswith("told.")} for f in (one, two)]
    assert max(float(np.abs(v).max()) for v in gradients[0].values()) > 1e-3
    assert far(*gradients) < 1e-6


def test_a_process_that_is_killed_ends_the_run_in_one_line(killed):
    place, (code, told, seconds) = killed
    assert code != 0 and seconds < 90
    errors = [line for line in told.splitlines() if line.startswith("error:")]
    assert len(errors) == 1, told
    assert "another of the run's 2 processes ended" in errors[0]
    assert "the same command continues" in errors[0]
    # The one traceback is torchrun's own.
    assert told.count("Traceback") <= 1 and "src/ligero" not in told, told
    assert _steps(place / "out", 1) == 5 and not (place / "out" / "manifest.json").exists()


def test_one_goes_on_alone_and_two_after_it(killed, text, known, tmp_path, monkeypatch, capfd):
    calm, out = tmp_path / "calm", shutil.copytree(killed[0] / "out", tmp_path / "out")
    stage.pretrain(build(PretrainConfig, values(text, calm, **OBJECTIVE)))
    take = loop.step

    def step(*arguments, **named):
        if named["number"] == 9:
            raise KeyboardInterrupt
        return take(*arguments, **named)

    monkeypatch.setattr(loop, "step", step)
    with pytest.raises(KeyboardInterrupt):
        stage.pretrain(build(PretrainConfig, values(text, out, **OBJECTIVE)))
    assert "continuing after step 5" in capfd.readouterr().err
    assert _steps(out, 1) == 8
    code, told, _ = run(values(text, out, **OBJECTIVE))
    assert code == 0, told
    assert told.count("continuing after step 8") == 1
    results, alone = (json.loads((p / "results.json").read_text()) for p in (out, calm))
    assert (results["processes"], alone["processes"]) == (2, 1)
    assert [p["tokens"] for p in results["phases"]] == [p["tokens"] for p in alone["phases"]]
    models = [load_file(place / "model" / "model.safetensors") for place in (calm, out)]
    assert far(*models) < 1e-4
    assert [p for p in out.rglob(".*") if p.name.endswith(".tmp")] == []


def _steps(out, phase):
    """Steps that the newest checkpoint has behind it."""
    return max(int(p.name[5:]) for p in (out / f"phase-{phase}" / "checkpoints").glob("step-*"))

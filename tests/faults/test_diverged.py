"""A loss that is not finite stops the run, says where, and leaves the last checkpoint as it was."""

import re

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

import small
from ligero import cli
from ligero.runs import verify
from ligero.train.finetune import Supervised
from ligero.train.loop import LossSum


def _no_number(model, total):
    return total * torch.nan


def _no_gradient(model, total):
    # The root of nothing is nothing, and its slope is not finite.
    weight = next(model.parameters())
    return total + torch.sqrt((weight * 0).sum())


@pytest.mark.parametrize(("what", "spoil"), [("loss", _no_number), ("gradient", _no_gradient)])
def test_a_loss_that_is_not_finite(known, data, tmp_path, monkeypatch, capfd, what, spoil):
    honest, seen = Supervised.loss, []

    def loss(self, model, batch):
        seen.append(self.names(batch.ids))
        total, weight = honest(self, model, batch)
        return LossSum(spoil(model, total) if len(seen) == 8 else total, weight)

    out = tmp_path / "out"
    with monkeypatch.context() as patch:
        patch.setattr(Supervised, "loss", loss)
        assert cli.main(small.finetune(data, out)) == 1
    said = capfd.readouterr().err.splitlines()[-1]
    assert said.startswith(f"ligero: the {what} stopped being finite at step 8, examples ")
    # Eight examples in a batch, and all of them named.
    named = re.search(r"examples ([\d, ]+);", said)
    assert named and set(named[1].split(", ")) == set(seen[-1])
    newest = max((out / "checkpoints").glob("step-*"))
    assert newest.name == "step-00000007"
    verify(newest)

    # What was wrong has been put right: the same command goes on from there.
    assert cli.main(small.finetune(data, out)) == 0
    assert "continuing after step 7" in capfd.readouterr().err
    assert cli.main(small.finetune(data, tmp_path / "calm")) == 0
    assert small.left(out) == small.left(tmp_path / "calm")


def test_a_learning_rate_that_is_far_too_high(forks, data, tmp_path):
    out, log = tmp_path / "out", tmp_path / "log"
    arguments = [*small.finetune(data, out), "--learning-rate", "1e30"]
    assert forks.run(arguments, log) == 1
    *_, said = log.read_text().splitlines()
    assert re.fullmatch(r"ligero: the \w+ stopped being finite at step \d+, examples .+", said)
    for checkpoint in (out / "checkpoints").glob("step-*"):
        verify(checkpoint)
        for weights in load_file(checkpoint / "model.safetensors").values():
            assert np.isfinite(weights).all()
    assert not (out / "manifest.json").exists()
    # It is not taken for a finished model either.
    log.unlink()
    assert forks.run(["predict", str(out), "Ana vive en Perú ."], log) == 2

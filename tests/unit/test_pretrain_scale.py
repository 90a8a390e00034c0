"""A recipe shrunk to a budget keeps its shape; a budget of time is measured once."""

import dataclasses
import json

import numpy as np
import pytest

import small_text
from ligero import config
from ligero.config import PhaseConfig, PretrainConfig
from ligero.errors import InputError
from ligero.pretrain import scale, stage

RECIPE = PretrainConfig(
    model="ligero-nano",
    phase=PhaseConfig(length=128, batch_size=2048, steps=90_000, learning_rate=1e-3, warmup=0.02),
    then=(PhaseConfig(length=512, batch_size=256, steps=10_000, learning_rate=4e-4, warmup=0.1),),
    evaluate_steps=5000,
    evaluate_windows=100,
)


@pytest.mark.parametrize(
    ("text", "amount", "unit"),
    [
        ("100M", 100e6, "sub-words"),
        ("1.5B", 1.5e9, "sub-words"),
        ("200k", 200e3, "sub-words"),
        ("5000", 5000, "sub-words"),
        ("30min", 1800, "seconds"),
        ("2h", 7200, "seconds"),
        ("90 s", 90, "seconds"),
    ],
)
def test_budgets(text, amount, unit):
    found = scale.budget(text)
    assert (found.amount, found.unit) == (amount, unit)


@pytest.mark.parametrize("text", ["", "M", "100m", "-3M", "0M", "1e6", "10 minutes", "inf"])
def test_what_is_no_budget(text):
    with pytest.raises(InputError, match="100M"):
        scale.budget(text)


@pytest.mark.parametrize("share", [0.5, 0.1, 0.01])
def test_shape_is_kept(share):
    made = scale.shrunk(RECIPE, share * scale.total(RECIPE))
    assert scale.total(made) == pytest.approx(share * scale.total(RECIPE), rel=0.01)
    for now, before in zip(scale.phases(made), scale.phases(RECIPE), strict=True):
        part = scale.tokens(now) / scale.total(made)
        assert part == pytest.approx(scale.tokens(before) / scale.total(RECIPE), rel=0.01)
        assert (now.length, now.warmup) == (before.length, before.warmup)
        assert now.batch_size == max(16, round(before.batch_size * share**0.5))
        ratio = now.batch_size / before.batch_size
        assert now.learning_rate == pytest.approx(before.learning_rate * ratio**0.5)
    steps = sum(phase.steps for phase in scale.phases(made))
    assert 19 <= steps / made.evaluate_steps <= 20
    # Nothing else changes.
    kept = dataclasses.replace(
        made, phase=RECIPE.phase, then=RECIPE.then, evaluate_steps=RECIPE.evaluate_steps
    )
    assert kept == RECIPE


def test_a_batch_keeps_sixteen_windows_unless_it_has_fewer():
    phase = PhaseConfig(length=128, batch_size=40, steps=100_000)
    made = scale.shrunk(PretrainConfig(phase=phase), 1e6)
    assert made.phase.batch_size == 16
    few = dataclasses.replace(phase, batch_size=8)
    made = scale.shrunk(PretrainConfig(phase=few), 1e6)
    assert made.phase.batch_size == 8
    assert made.phase.learning_rate == few.learning_rate


def test_never_up_and_never_to_nothing():
    whole = scale.total(RECIPE)
    assert scale.shrunk(RECIPE, whole) == RECIPE
    assert scale.shrunk(RECIPE, 3 * whole) == RECIPE
    with pytest.raises(InputError, match="one step of every phase"):
        scale.shrunk(RECIPE, 1000)


def test_time_is_what_the_steps_and_evaluations_take():
    speeds, seconds = (50_000.0, 20_000.0), 3600.0
    wanted, count = scale.affordable(RECIPE, speeds, seconds)
    made = scale.shrunk(RECIPE, wanted, evaluations=count)
    training = sum(
        scale.tokens(p) / speed for p, speed in zip(scale.phases(made), speeds, strict=True)
    )
    shares = [scale.tokens(p) / scale.total(RECIPE) for p in scale.phases(RECIPE)]
    one = sum(
        share * 100 * p.length / speed / 3
        for share, p, speed in zip(shares, scale.phases(RECIPE), speeds, strict=True)
    )
    assert training + (count + 1) * one == pytest.approx(seconds, rel=0.02)
    assert count == 20
    # Where one evaluation takes long there are fewer.
    heavy = dataclasses.replace(RECIPE, evaluate_windows=100_000)
    wanted, count = scale.affordable(heavy, speeds, seconds)
    assert count == int(360 / (1000 * one)) == 2
    assert wanted > 0


@pytest.fixture
def counted(monkeypatch):
    """Speeds are made up, and measuring is counted."""
    calls = []

    def measured(config, text):
        calls.append(config)
        return [20_000.0 + len(calls)] * len(scale.phases(config))

    monkeypatch.setattr(scale, "measured_speed", measured)
    monkeypatch.setattr(stage, "open_text", lambda config: None)
    return calls


def test_a_run_that_began_keeps_its_plan(counted, tmp_path):
    asked = dataclasses.replace(RECIPE, place=config.PlaceConfig(out=str(tmp_path)))
    made, plan = scale.fitted(asked, scale.budget("30min"))
    # Measured as the recipe is, and again with the windows that were chosen.
    assert counted[0].phase.batch_size == 2048
    assert counted[1].phase.batch_size == made.phase.batch_size < 2048
    assert scale.total(made) <= 20_002 * 1800
    assert "30min" in scale.line(plan)
    (tmp_path / scale.SCALE).write_text(json.dumps(plan))
    counted.clear()
    again, same = scale.fitted(asked, scale.budget("30min"))
    assert again == made
    assert same == json.loads(json.dumps(plan))
    assert not counted
    for other, text in ((asked, "1h"), (dataclasses.replace(asked, seed=1), "30min")):
        with pytest.raises(InputError, match="scaled to 30min"):
            scale.fitted(other, scale.budget(text))


def test_processes_do_not_each_measure(counted, tmp_path, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    asked = dataclasses.replace(RECIPE, place=config.PlaceConfig(out=str(tmp_path)))
    with pytest.raises(InputError, match="torchrun"):
        scale.fitted(asked, scale.budget("30min"))
    _, plan = scale.fitted(asked, scale.budget("1B"))
    assert plan["speeds"] is None
    assert plan["sub_words"] == pytest.approx(1e9, rel=0.01)


def test_speed_is_measured_on_weights_that_do_not_count(one_thread, tmp_path, monkeypatch):
    place = small_text.make(tmp_path, 12)
    asked = PretrainConfig(
        model="ligero-nano", shards=str(place / "train"), valid=str(place / "valid"),
        phase=PhaseConfig(length=32, batch_size=4, steps=100),
        then=(PhaseConfig(length=64, batch_size=4, steps=50),),
        place=config.PlaceConfig(out=str(tmp_path / "out"), threads=1),
    )  # fmt: skip
    monkeypatch.setattr(scale, "ENOUGH", 0.0)
    speeds = scale.measured_speed(asked, stage.open_text(asked))
    assert len(speeds) == 2
    assert np.isfinite(speeds).all() and min(speeds) > 0
    assert not (tmp_path / "out").exists()

"""Trials that are really trained: what they leave, what fails, what is begun again, what is given up."""

import errno
import json
import multiprocessing

import pytest

import small
from ligero.errors import BusyError, DivergedError
from ligero.runs import Run, read_json
from ligero.search import drive, outcome, plan, trial
from ligero.train import loop

pytestmark = pytest.mark.usefixtures("known", "one_thread")


def recipe(data, ending="conll", **over):
    files = {name: str(data / f"{name}.{ending}") for name in ("train", "dev", "test")}
    return {
        "model": small.STUDENT,
        "data": files,
        "vocab": {"size": 300},
        "fit": {"epochs": 2, "batch_size": 8},
        "search": {"over": over.pop("over", {"fit.learning_rate": [1e-3, 3e-3]}), **over},
    }


def run(table, out, number=0):
    """The outcome of one trial of a grid, as its job leaves it."""
    made = plan.make(table, "x.toml")
    chosen = made.grid()[number]
    trial.job(made, chosen, out).do()
    return outcome.read(out, chosen.name)


def test_a_trial_is_an_ordinary_run_and_its_outcome(tmp_path, data):
    ended = run(recipe(data), tmp_path)
    assert ended.state == "done" and not ended.notes
    results = read_json(tmp_path / ended.run / "results.json")
    (row,) = results["models"].values()
    assert (ended.dev, ended.test) == (row["dev"], row["test"])
    assert ended.metric == "f1" and len(ended.evaluations) == 2
    assert max(f1 for f1, _ in ended.evaluations) == ended.dev["f1"]
    assert (tmp_path / ended.run / "model" / "model.safetensors").is_file()
    said = (tmp_path / f"{ended.run}.log").read_text()
    assert "chosen by f1" in said


def test_what_diverges_is_begun_again_at_a_third(tmp_path, data, monkeypatch):
    rates = []
    fit = loop.fit

    def diverge(*arguments, peak, **others):
        rates.append(peak)
        if len(rates) == 1:
            raise DivergedError("the loss stopped being finite at step 3")
        return fit(*arguments, peak=peak, **others)

    monkeypatch.setattr(loop, "fit", diverge)
    ended = run(recipe(data), tmp_path)
    assert rates == [1e-3, pytest.approx(1e-3 / 3)]
    assert ended.state == "done" and ended.run.endswith(trial.AGAIN)
    assert "stopped being finite" in ended.notes[0]


def test_what_fails_otherwise_goes_on_as_it_was(tmp_path, data, monkeypatch):
    """Two processes that publish one folder of a cache at once, say."""
    rates = []
    fit = loop.fit

    def fail(*arguments, peak, **others):
        rates.append(peak)
        found = fit(*arguments, peak=peak, **others)
        if len(rates) == 1:
            raise OSError(errno.ENOTEMPTY, "Directory not empty")
        return found

    monkeypatch.setattr(loop, "fit", fail)
    ended = run(recipe(data), tmp_path)
    assert rates == [1e-3, 1e-3]
    assert ended.state == "done" and not ended.run.endswith(trial.AGAIN)
    assert "Directory not empty" in ended.notes[0]
    monkeypatch.setattr(loop, "fit", fit)
    calm = run(recipe(data), tmp_path / "calm")
    assert ended.dev == calm.dev and ended.evaluations == calm.evaluations


@pytest.mark.parametrize(
    ("error", "factor"), [(DivergedError("not finite"), 1 / 3), (RuntimeError("out of memory"), 1)]
)
def test_what_fails_twice_is_recorded(tmp_path, data, monkeypatch, error, factor):
    rates = []

    def fail(*arguments, peak, **others):
        rates.append(peak)
        raise error

    monkeypatch.setattr(loop, "fit", fail)
    ended = run(recipe(data), tmp_path)
    assert ended.state == "failed" and len(ended.notes) == 2
    assert str(error) in ended.notes[0]
    assert rates == [1e-3, pytest.approx(factor * 1e-3)]


def test_what_cannot_be_used_is_not_tried_twice(tmp_path, data):
    table = recipe(data, over={"model": [str(tmp_path / "nowhere"), small.STUDENT]})
    ended = run(table, tmp_path)
    assert ended.state == "failed" and len(ended.notes) == 1 and "unknown model" in ended.notes[0]


def test_a_trial_that_another_process_has_is_left_to_it(tmp_path, data):
    made = plan.make(recipe(data), "x.toml")
    chosen = made.grid()[0]
    place = outcome.trials(tmp_path) / chosen.name
    with (
        Run(place, "finetune", {}),
        multiprocessing.get_context("fork").Pool(1) as other,
        pytest.raises(BusyError),
    ):
        other.apply(trial.job(made, chosen, tmp_path).do)
    assert outcome.read(tmp_path, chosen.name) is None


def test_a_trial_below_the_others_is_given_up(tmp_path, data):
    rates = [3e-3, 3.1e-3, 3.2e-3, 3.3e-3, 1e-9]
    table = recipe(data, over={"fit.learning_rate": rates}, prune=True)
    table["fit"]["epochs"] = 6
    ended = [run(table, tmp_path, number) for number in range(5)]
    assert [o.state for o in ended] == ["done"] * 4 + ["pruned"]
    assert len(ended[-1].evaluations) < 6
    search = drive.Search(plan.make(table, "x.toml"), tmp_path)
    assert json.loads(json.dumps(drive.results([search])))["groups"][0]["states"]["pruned"] == 1

"""The plan of a search, its choices, and its way to an end, with trials that take no time."""

import json

import pytest

from ligero.errors import BusyError, InputError
from ligero.report import search as report
from ligero.runs import publish, write_json
from ligero.search import adaptive, drive, outcome, plan
from ligero.search.outcome import OUTCOME, Outcome

GRID = {
    "model": "ligero-micro",
    "data": {"task": "ner-conll2002"},
    "fit": {"epochs": 2},
    "search": {"over": {"fit.learning_rate": [1e-5, 1e-4], "fit.batch_size": [16, 32, 64]}},
}
ADAPTIVE = {
    "search": {
        "way": "adaptive", "trials": 12,
        "over": {
            "fit.learning_rate": {"low": 1e-5, "high": 1e-2, "log": True},
            "fit.epochs": {"low": 1, "high": 9},
            "fit.schedule": ["linear", "cosine"],
        },
    }
}  # fmt: skip


def score(values):
    """As good as the learning rate is near 1e-3."""
    rate = values["fit.learning_rate"]
    return 80 - 10 * abs(rate / 1e-3 - 1) / (rate / 1e-3 + 1)


class Crew:
    """Does jobs at once: trials end with a made-up score, or as they are told to."""

    def __init__(self, *, stop=None, busy=(), die=()):
        self.stop, self.busy, self.die, self.done = stop, set(busy), set(die), []

    def run(self, jobs, *, finished, **how):
        assert how["eager"] is False
        failures = []
        for job in jobs:
            if self.stop is not None and len(self.done) >= self.stop:
                raise KeyboardInterrupt
            error = self.do(job)
            finished(job, error)
            failures += [error] if error else []
        if failures:
            raise failures[0]

    def do(self, job):
        name = job.folder.name
        self.done.append(name)
        if name in self.busy:
            self.busy.remove(name)
            return BusyError("another process is working here")
        if name in self.die:
            return RuntimeError("its worker died 2 times")
        trial = job.arguments["plan"].trial(job.arguments["values"])
        figures = {"f1": score(trial.values), "loss": 1 / score(trial.values)}
        ended = Outcome(
            name, trial.values, trial.group, "done", f"trials/{name}", "f1", figures, figures, "test",
            [figures["f1"] - 1, figures["f1"] + 1], seconds=60.0,
        )  # fmt: skip
        with publish(job.folder) as folder:
            write_json(folder / OUTCOME, ended.as_dict())
        return None


def searched(table, out, crew=None):
    search = drive.Search(plan.make(table, "x.toml"), out)
    search.run(crew or Crew())
    return search


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(drive, "PATIENCE", 0)


def test_a_grid_is_every_combination():
    trials = plan.make(GRID, "x.toml").grid()
    assert [tuple(t.values.values()) for t in trials] == [
        (rate, size) for rate in (1e-5, 1e-4) for size in (16, 32, 64)
    ]
    assert all(t.settings.fit.batch_size == t.values["fit.batch_size"] for t in trials)
    assert all(t.settings.fit.epochs == 2 for t in trials)
    assert len({t.name for t in trials}) == 6
    assert trials[0].name.startswith("learning_rate=1e-05_batch_size=16-")


def test_a_trial_is_known_by_what_it_does():
    """Not by the way it is written, nor by what else is tried."""
    first = plan.make(GRID, "x.toml")
    wider = json.loads(json.dumps(GRID))
    wider["search"]["over"]["fit.batch_size"] = [16.0, 128]
    # 16.0 is spoken otherwise, and is the same trial all the same.
    first_names, wider_names = (
        {t.name.rsplit("-", 1)[1] for t in made.grid()}
        for made in (first, plan.make(wider, "y.toml"))
    )
    assert len(first_names & wider_names) == 2
    other = {**GRID, "fit": {"epochs": 3}}
    assert not {t.name for t in plan.make(other, "x.toml").grid()} & {t.name for t in first.grid()}


def test_groups_are_models_and_tasks():
    table = {**GRID, "search": {"over": {"model": ["ligero-micro", "ligero-nano"], "seed": [0, 1]}}}
    made = plan.make(table, "x.toml")
    assert made.by == ("model",)
    assert made.groups() == [{"model": "ligero-micro"}, {"model": "ligero-nano"}]
    table["search"]["by"] = ["seed"]
    assert plan.make(table, "x.toml").groups() == [{"seed": 0}, {"seed": 1}]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"verb": "prune"}, "prune"),
        ({"search": {}}, "nothing to search over"),
        ({"search": {"over": {"fit.batchsize": [1]}}}, "batchsize"),
        ({"search": {"over": {"fit.epochs": []}}}, "fit.epochs"),
        ({"search": {"over": {"fit.epochs": 3}}}, "fit.epochs"),
        ({"search": {"over": {"fit.epochs": [1, -2]}}}, "epochs"),
        ({"search": {"over": {"fit.epochs": {"low": 3, "high": 1}}}}, "fit.epochs"),
        ({"search": {"over": {"fit.epochs": {"low": 1, "high": 3}}}}, "a range in a grid"),
        ({"search": {"over": {"fit.warmup": {"low": 0.0, "high": 1, "log": True}}}}, "fit.warmup"),
        ({"search": {"over": {"fit.epochs": [1]}, "wya": "grid"}}, "wya"),
        ({"search": {"over": {"fit.epochs": [1]}, "by": ["model"]}}, "by = 'model'"),
        ({"fit": {"epohcs": 1}}, "epohcs"),
    ],
)
def test_a_wrong_recipe_is_refused_at_once(change, message):
    with pytest.raises(InputError, match=message):
        plan.make({**GRID, **change}, "x.toml")


def test_all_trials_end_and_the_best_is_named(tmp_path):
    search = searched(GRID, tmp_path)
    found = drive.results([search])
    (group,) = found["groups"]
    assert group["states"] == {"done": 6, "pruned": 0, "failed": 0}
    assert "learning_rate=0.0001" in group["best"]["metric"]
    page = report.page(found)
    assert "6 trials (6 done)" in page and "| 0.0001 | 16 | done |" in page


def test_what_is_done_is_not_done_again_and_a_grid_may_grow(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        searched(GRID, tmp_path, Crew(stop=4))
    crew = Crew()
    searched(GRID, tmp_path, crew)
    assert len(crew.done) == 2
    wider = json.loads(json.dumps(GRID))
    wider["search"]["over"]["fit.learning_rate"].append(1e-3)
    crew = Crew()
    search = searched(wider, tmp_path, crew)
    assert len(crew.done) == 3 and len(search.outcomes()) == 9


def test_a_damaged_outcome_is_made_again(tmp_path):
    search = searched(GRID, tmp_path)
    name = search.trials()[2].name
    (outcome.outcomes(tmp_path) / name / OUTCOME).write_text("{")
    crew = Crew()
    searched(GRID, tmp_path, crew)
    assert crew.done == [name]


def test_trials_of_other_processes_are_waited_for(tmp_path):
    names = [t.name for t in plan.make(GRID, "x.toml").grid()]
    crew = Crew(busy=names[1:3])
    assert len(searched(GRID, tmp_path, crew).outcomes()) == 6
    assert crew.done == [*names, *names[1:3]]


def test_a_trial_whose_worker_dies_is_recorded_and_stops_none(tmp_path):
    names = [t.name for t in plan.make(GRID, "x.toml").grid()]
    search = searched(GRID, tmp_path, Crew(die=names[:1]))
    failed, *rest = search.outcomes()
    assert (failed.state, failed.notes) == ("failed", ["its worker died 2 times"])
    assert {o.state for o in rest} == {"done"}
    assert "its worker died 2 times" in report.page(drive.results([search]))


def test_adaptive_search_comes_near_the_best_and_repeats_itself(tmp_path):
    found = [searched(ADAPTIVE, tmp_path / name).outcomes() for name in "ab"]
    assert found[0] == found[1]
    assert len(found[0]) == 12
    rates = [o.values["fit.learning_rate"] for o in found[0]]
    assert all(1e-5 <= rate <= 1e-2 for rate in rates)
    assert all(isinstance(o.values["fit.epochs"], int) for o in found[0])
    assert max(o.dev["f1"] for o in found[0]) > 77


def test_an_adaptive_search_goes_on_as_if_never_stopped(tmp_path):
    whole = searched(ADAPTIVE, tmp_path / "whole").outcomes()
    for stop in (1, 4, 3):
        with pytest.raises(KeyboardInterrupt):
            searched(ADAPTIVE, tmp_path / "cut", Crew(stop=stop))
    assert searched(ADAPTIVE, tmp_path / "cut").outcomes() == whole


def test_a_number_is_claimed_once(tmp_path):
    made = plan.make(ADAPTIVE, "x.toml")
    first, second = (adaptive.ask(made, {}, tmp_path) for _ in range(2))
    assert first.values != second.values
    assert [t.name for t in adaptive.asked(made, {}, tmp_path)] == [first.name, second.name]
    path = adaptive._claim(made, {}, tmp_path, 0)
    assert not adaptive._write_once(path, {"values": {}})
    assert json.loads(path.read_text())["values"] == first.values


def test_another_seed_has_guesses_of_its_own(tmp_path):
    first = searched(ADAPTIVE, tmp_path).outcomes()
    other = {"search": {**ADAPTIVE["search"], "seed": 1}}
    second = searched(other, tmp_path).outcomes()
    assert len(second) == 12
    assert not {o.name for o in first} & {o.name for o in second}
    crew = Crew()
    assert searched(ADAPTIVE, tmp_path, crew).outcomes() == first and not crew.done


def test_claims_are_called_as_ever(tmp_path):
    """A search that was begun before the seed counted goes on with its guesses."""
    path = adaptive._claim(plan.make(ADAPTIVE, "x.toml"), {}, tmp_path, 3)
    assert path == tmp_path / "asked" / "8649b875-00003.json"


def pruned_search(tmp_path):
    table = {**GRID, "search": {**GRID["search"], "prune": True}}
    made = plan.make(table, "x.toml")
    names = [t.name for t in made.grid()]
    for number, name in enumerate(names[:5]):
        ended = Outcome(
            name, {}, {}, "done", "", "f1", {"f1": 70, "loss": 1}, {"f1": 70}, "test", None,
            [[60 + number, 0.5], [70, 0.4]],
        )  # fmt: skip
        with publish(outcome.outcomes(tmp_path) / name) as folder:
            write_json(folder / OUTCOME, ended.as_dict())
    return made, made.grid()[5]


@pytest.mark.parametrize(
    ("scores", "given_up"), [((50, 71), False), ((61, 69), True), ((50,), False)]
)
def test_hopeless_trials_are_given_up(tmp_path, scores, given_up):
    made, trial = pruned_search(tmp_path)
    place = outcome.trials(tmp_path) / trial.name
    place.mkdir(parents=True)
    lines = [json.dumps({"evaluation": {"f1": s, "loss": 1.0}}) for s in scores]
    (place / "metrics.jsonl").write_text("\n".join(lines) + '\n{"evalu')
    watch = adaptive.judge(made, trial, tmp_path, place)
    if given_up:
        with pytest.raises(adaptive.PrunedError, match="after 2 evaluations"):
            watch("f1")
    else:
        watch("f1")


def test_by_loss_and_by_metric_may_differ():
    def one(name, f1, loss):
        return Outcome(name, {}, {}, "done", "", "f1", {"f1": f1, "loss": loss})

    found = [
        one("a", 70.0, 0.2),
        one("b", 72.0, 0.3),
        one("c", 72.0, 0.1),
        one("d", float("nan"), 1),
    ]
    assert drive.best(found, "metric").name == "b"
    assert drive.best(found, "loss").name == "c"
    assert drive.best([Outcome("x", {}, {}, "failed", "")], "metric") is None

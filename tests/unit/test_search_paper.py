"""A paper's table filled by searches whose trials take no time."""

from pathlib import Path

import pytest

from ligero.papers import recipe
from ligero.report import papers as report
from ligero.report import papers_writers as writers
from ligero.runs import publish, write_json
from ligero.search import paper
from ligero.search.outcome import OUTCOME, Outcome
from ligero.tasks import catalog, source

RECIPES = Path(__file__).parents[2] / "recipes" / "glues"


class Crew:
    """Ends every trial at once; the loss says which candidate is to teach."""

    def __init__(self, loss, fails=()):
        self.loss, self.fails, self.verbs = loss, fails, []

    def run(self, jobs, *, finished, **how):
        for job in jobs:
            plan = job.arguments["plan"]
            trial = plan.trial(job.arguments["values"])
            model = plan.fixed.get("model") or plan.fixed["student"]
            self.verbs.append((plan.verb, model, plan.fixed.get("teacher")))
            metrics = catalog.find(plan.fixed["data"]["task"]).metrics
            figures = {name: 70.0 + n for n, name in enumerate(metrics)}
            figures["loss"] = self.loss[model] + trial.values["fit.learning_rate"]
            ended = Outcome(
                trial.name, trial.values, trial.group, "failed" if model in self.fails else "done",
                f"trials/{trial.name}", metrics[0], figures, figures, "test", [69.0, 71.0],
                notes=["the loss stopped being finite"] if model in self.fails else [],
            )  # fmt: skip
            with publish(job.folder) as folder:
                write_json(folder / OUTCOME, ended.as_dict())
            finished(job, None)


@pytest.fixture
def plan(monkeypatch):
    monkeypatch.setattr(source, "missing", lambda *a: None)
    return recipe.read(RECIPES / "speedy-table-6.toml", "small")


def losses(plan, best):
    return {cell.model: 0.1 if cell.model == best else 0.5 for cell in plan.cells}


def test_the_candidate_of_the_lowest_loss_teaches(plan, tmp_path):
    best = next(c for c in plan.cells if c.verb == "distill").teachers[-1]
    crew = Crew(losses(plan, best))
    found = paper.fill(plan, tmp_path, crew)
    assert len(crew.verbs) == plan.runs
    tuned = [verb for verb, *_ in crew.verbs]
    assert tuned == sorted(tuned, reverse=True), "students before their teachers"
    folders = {teacher for verb, _, teacher in crew.verbs if verb == "distill"}
    assert folders and all(f"-{best}/trials/" in folder for folder in folders)
    assert {row["teacher"] for row in found.chosen if row["verb"] == "distill"} == {best}
    # The loss grows with the learning rate here.
    rates = {row["values"]["fit.learning_rate"] for row in found.chosen}
    lowest = {min(c.over["fit.learning_rate"]) for c in plan.cells}
    assert rates == lowest
    assert not found.reasons
    page = writers.markdown(report.planned(plan, found.figures, found.reasons))
    assert "70.00" in page or "71.00" in page
    again = Crew({})
    assert paper.fill(plan, tmp_path, again).as_dict() == found.as_dict() and not again.verbs
    moved = tmp_path.rename(tmp_path.with_name("moved"))
    assert paper.fill(plan, moved, again).as_dict() == found.as_dict() and not again.verbs


def test_what_fails_is_said_and_stops_nothing(plan, tmp_path):
    student = next(c for c in plan.cells if c.verb == "distill")
    (candidate, *_) = student.teachers
    found = paper.fill(plan, tmp_path, Crew(losses(plan, candidate), fails=[candidate]))
    assert any("trials failed (the loss" in why for why in found.reasons.values())
    assert {f.model for f in found.reasons} == {candidate}
    assert all(row["teacher"] != candidate for row in found.chosen)


def test_data_that_are_not_there_are_named(tmp_path, monkeypatch):
    monkeypatch.delenv("LIGERO_DATA", raising=False)
    plan = recipe.read(RECIPES / "speedy-table-6.toml", "small")
    found = paper.fill(plan, tmp_path, Crew({}))
    assert not found.figures and len(found.reasons) > 4
    assert all("; get them from https://" in why for why in found.reasons.values())

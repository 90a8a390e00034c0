"""Searches of several rounds: teachers, and then students of the best of them."""

import json
import shutil
from pathlib import Path

import pytest

from ligero.errors import InputError
from ligero.report import search as report
from ligero.runs import publish, write_json
from ligero.search import drive, outcome, plan, rounds, teacher
from ligero.search.outcome import OUTCOME, Outcome

TABLE = {
    "verb": "compress",
    "data": {"limit": 100},
    "teacher_fit": {"epochs": 2},
    "student_fit": {"epochs": 3},
    "distill": {"loss": "mse"},
    "search": {
        "over": {
            "data.task": ["ner-conll2002", "topics-sib200"],
            "teacher": ["ligero-tiny", "ligero-micro"],
            "student": ["ligero-micro", "ligero-nano"],
            "teacher_fit.learning_rate": [1e-4, 1e-3],
            "student_fit.schedule": ["constant", "linear"],
            "student_fit.select": ["loss", "metric"],
        }
    },
}
# Points that a choice is worth; linear and metric together 5 more.
POINTS = {"ligero-tiny": 3.0, "ligero-micro": 1.0, 1e-3: 2.0, "linear": 4.0, "metric": 0.5}


class Crew:
    """Does jobs at once: trials end with what their values are worth."""

    def __init__(self, fails=()):
        self.fails, self.done = fails, []

    def run(self, jobs, *, finished, **how):
        for job in jobs:
            trial = job.arguments["plan"].trial(job.arguments["values"])
            values = list(trial.values.values())
            score = 50 + sum(POINTS.get(v, 0.0) for v in values)
            score += 5 * ({"linear", "metric"} <= set(map(str, values)))
            figures = {"f1": score, "loss": score / 100}
            state = "failed" if set(self.fails) & set(map(str, values)) else "done"
            told = {"dev": figures, "test": figures, "interval": [score - 1, score + 1]}
            ended = Outcome(
                trial.name, trial.values, trial.group, state, f"trials/{trial.name}", "f1",
                seconds=60.0, **(told if state == "done" else {"notes": ["out of memory"]}),
            )  # fmt: skip
            with publish(job.folder) as folder:
                write_json(folder / OUTCOME, ended.as_dict())
            self.done.append(trial)
            finished(job, None)


def run(table, out, crew):
    recipe = rounds.Compress(table, out, "x.toml")
    for searches in recipe:
        drive.run(searches, crew)
    return recipe


def test_the_best_candidate_of_each_task_teaches_all_students(tmp_path):
    crew = Crew()
    recipe = run(TABLE, tmp_path, crew)
    teachers = [t for t in crew.done if hasattr(t.settings, "model")]
    students = [t for t in crew.done if hasattr(t.settings, "teacher")]
    assert len(teachers) == 2 * 2 * 2 and len(students) == 2 * 2 * 4
    assert {t.settings.fit.epochs for t in teachers} == {2}
    assert {(t.settings.fit.epochs, t.settings.distill.loss) for t in students} == {(3, "mse")}
    assert {t.settings.data.limit for t in crew.done} == {100}
    for task in ("ner-conll2002", "topics-sib200"):
        (who,) = {t.settings.teacher for t in students if t.settings.data.task == task}
        chosen = recipe.teacher({"data.task": task})
        assert Path(who) == (tmp_path / "teachers" / chosen.run).resolve()
        assert chosen.values["model"] == "ligero-tiny"
        assert chosen.values["fit.learning_rate"] == 1e-3 and chosen.values["data.task"] == task


def test_each_trial_is_told_of_with_its_own_search(tmp_path):
    """Students of all tasks share a folder."""
    told = []
    for searches in rounds.Compress(TABLE, tmp_path, "x.toml"):
        drive.run(searches, Crew(), lambda search, o: told.append((search, o)))
    assert len(told) == 8 + 16
    for search, o in told:
        assert o.values["data.task"] in search.plan.over["data.task"]
        assert o.name in {trial.name for trial in search.trials()}


def test_it_goes_on_where_it_was(tmp_path):
    run(TABLE, tmp_path, Crew())
    again = Crew()
    found = run(TABLE, tmp_path, again).results()
    assert not again.done
    assert [one["trials"] for one in found["rounds"].values()] == [8, 16]


@pytest.mark.parametrize("way", ["grid", "adaptive"])
def test_it_may_be_moved(tmp_path, way):
    table = json.loads(json.dumps(TABLE))
    table["search"] |= {"way": way, "trials": 3}
    table["search"]["over"]["variant"] = ["plain", "two"]
    table["search"]["given"] = {"variant": {"two": {"teachers": 2}}}
    first = Crew()
    before = run(table, tmp_path / "here", first).results()
    (tmp_path / "here").rename(tmp_path / "there")
    again = Crew()
    assert run(table, tmp_path / "there", again).results() == before
    assert not again.done
    # What is still to be done is taught by who is there now.
    lost = next(t for t in first.done if t.values.get("variant") == "two")
    shutil.rmtree(outcome.outcomes(tmp_path / "there" / "students") / lost.name)
    run(table, tmp_path / "there", again)
    (done,) = again.done
    assert done.name == lost.name
    assert all(
        Path(name).is_relative_to((tmp_path / "there").resolve())
        for name in done.settings.teacher.split(",")
    )


def test_names_are_what_they_were_before_folders_could_be_moved(tmp_path):
    crew = Crew()
    recipe = run(TABLE, tmp_path, crew)
    (one, *_) = [t for t in crew.done if hasattr(t.settings, "teacher")]
    plain = plan.make(
        {
            "verb": "distill", "data": {"limit": 100}, "fit": {"epochs": 3},
            "distill": {"loss": "mse"}, "teacher": one.settings.teacher,
            "search": {"over": {path: [value] for path, value in one.values.items()}},
        },
        "x.toml",
    )  # fmt: skip
    assert [t.name for t in plain.grid()] == [one.name]
    assert recipe.out == tmp_path


def test_the_choice_of_a_teacher_may_be_moved(tmp_path):
    path = tmp_path / "teacher.toml"
    path.write_text(
        'candidates = ["ligero-tiny", "ligero-micro"]\nstudent = "ligero-nano"\n'
        '[data]\ntask = "ner-conll2002"\n[search.over]\n"fit.learning_rate" = [1e-4, 1e-3]\n'
    )
    before = teacher.choose(path, tmp_path / "here", Crew())
    assert all(row["student"]["state"] == "done" for row in before["candidates"])
    (tmp_path / "here").rename(tmp_path / "there")
    again = Crew()
    assert teacher.choose(path, tmp_path / "there", again) == before
    assert not again.done


def test_a_task_without_a_teacher_has_no_students(tmp_path):
    crew = Crew(fails=["topics-sib200"])
    found = run(TABLE, tmp_path, crew).results()
    students = found["rounds"]["students"]
    assert {o["values"]["data.task"] for o in students["outcomes"]} == {"ner-conll2002"}
    assert "out of memory" in report.page(found)
    json.dumps(found)
    nobody = run(TABLE, tmp_path / "none", Crew(fails=["ner-conll2002", "topics-sib200"])).results()
    assert list(nobody["rounds"]) == ["teachers"]
    assert "8 failed" in report.page(nobody)


def test_the_page_says_what_each_setting_is_worth(tmp_path):
    found = run(TABLE, tmp_path, Crew()).results()
    heading, rows = report.worth(found["rounds"]["students"])
    assert heading == ["", "gain on test", "95%", "better in", "pairs"]
    by_name = {row[0]: row[1:] for row in rows}
    # linear: 4, and 5 more in the half of the pairs that have the metric.
    assert by_name["fit.schedule linear rather than constant"][0] == "+6.50"
    assert by_name["fit.select metric rather than loss"][0] == "+3.00"
    assert by_name["fit.select metric rather than loss"][2:] == ["8", "8"]
    (row,) = report.worth(found["rounds"]["teachers"])[1]
    # Four pairs say too little for an interval.
    assert row == ["fit.learning_rate 0.001 rather than 0.0001", "+2.00", "", "4", "4"]
    page = report.page(found)
    assert "| task ner-conll2002 | model ligero-tiny, learning_rate 0.001 | 55.00 ±1.00 |" in page
    assert "## The best teachers" in page and "## The best students" in page
    assert "24 trials (24 done)" in page
    assert str(tmp_path) not in page


def test_seeds_are_students(tmp_path):
    table = {**json.loads(json.dumps(TABLE)), "seed": 5}
    table["search"]["over"]["seed"] = [0, 1]
    crew = Crew()
    run(table, tmp_path, crew)
    teachers = [t for t in crew.done if hasattr(t.settings, "model")]
    students = [t for t in crew.done if hasattr(t.settings, "teacher")]
    assert {t.settings.seed for t in teachers} == {5} and len(teachers) == 8
    assert {t.settings.seed for t in students} == {0, 1} and len(students) == 32
    assert len({t.settings.teacher for t in students}) == 2


def test_the_verb_decides(tmp_path):
    recipe = tmp_path / "x.toml"
    recipe.write_text('teacher = "ligero-tiny"\n[search.over]\nstudent = ["ligero-nano"]\n')
    with pytest.raises(InputError):
        rounds.read(recipe, tmp_path)
    recipe.write_text('verb = "compress"\n' + recipe.read_text())
    (searches,) = [next(iter(rounds.read(recipe, tmp_path)))]
    assert [s.total() for s in searches] == [1]
    recipe.write_text('model = "ligero-tiny"\n[search.over]\nseed = [0, 1]\n')
    single = rounds.read(recipe, tmp_path)
    assert isinstance(single, rounds.Single)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"search": {"over": {"student_fit.epoch": [1]}}}, "epoch"),
        ({"search": {"over": {"teacher_fit.schedule": ["round"]}}}, "schedule"),
        ({"search": {"over": {"studen": ["ligero-nano"]}}}, "studen"),
        ({"search": {"over": {}, "by": ["student"]}}, "by"),
        ({"search": 3}, "search"),
        ({"fit": {"epochs": 3}}, "fit"),
        ({"teacher_fit": {"epochs": "many"}}, "epochs"),
    ],
)
def test_a_wrong_recipe_is_refused_before_anything_is_trained(tmp_path, change, message):
    with pytest.raises(InputError, match=message):
        rounds.Compress({**TABLE, **change}, tmp_path, "x.toml")


def test_every_outcome_lies_in_its_own_round(tmp_path):
    run(TABLE, tmp_path, Crew())
    assert len(list(outcome.outcomes(tmp_path / "teachers").iterdir())) == 8
    assert len(list(outcome.outcomes(tmp_path / "students").iterdir())) == 16


def test_a_name_stands_for_settings_of_students(tmp_path):
    """Variants: each with settings of its own, beside those that a task asks for."""
    table = json.loads(json.dumps(TABLE))
    over = table["search"]["over"]
    del over["student_fit.schedule"], over["student_fit.select"]
    over["variant"] = ["plain", "mse", "two"]
    table["search"]["given"] = {
        "variant": {"mse": {"distill": {"alpha": 0.5}, "student_fit": {"warmup": 0.3}},
                    "two": {"teachers": 2}},
        "data.task": {"topics-sib200": {"teacher_fit": {"epochs": 7}, "student_fit": {"epochs": 9}}},
    }  # fmt: skip
    crew = Crew()
    found = run(table, tmp_path, crew).results()
    teachers = [t.settings for t in crew.done if hasattr(t.settings, "model")]
    students = [t for t in crew.done if hasattr(t.settings, "teacher")]
    # Teachers know nothing of variants.
    assert len(teachers) == 8 and len(students) == 2 * 2 * 3
    assert {(s.data.task, s.fit.epochs) for s in teachers} == {
        ("ner-conll2002", 2),
        ("topics-sib200", 7),
    }
    assert {(t.settings.data.task, t.settings.fit.epochs) for t in students} == {
        ("ner-conll2002", 3), ("topics-sib200", 9)
    }  # fmt: skip
    for t in students:
        variant = t.values["variant"]
        assert t.settings.distill.alpha == (0.5 if variant == "mse" else 0.0)
        assert t.settings.fit.warmup == (0.3 if variant == "mse" else 0.1)
        assert t.settings.distill.loss == "mse"
        assert t.settings.teacher.count(",") == (variant == "two")
        assert f"variant={variant}" in t.name
    names = [row[0] for row in report.worth(found["rounds"]["students"])[1]]
    assert names == ["variant mse rather than plain", "variant two rather than plain"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"variant": {"other": {"distill": {"alpha": 0.5}}}}, "other"),
        ({"varian": {"mse": {"distill": {"alpha": 0.5}}}}, "varian"),
        ({"variant": {"mse": {"distill": {"alfa": 0.5}}}}, "alfa"),
        ({"variant": {"mse": 3}}, "search.given"),
        ({"variant": 3}, "search.given"),
        (3, "search.given"),
        *(
            ({"variant": {"mse": {"teachers": count}}}, "whole number of 1 or more")
            for count in ("2", 1.5, 0, -1, True, [2])
        ),
        ({"teacher": {"ligero-tiny": {"teachers": 2}}}, "teachers"),
    ],
)
def test_wrong_settings_of_a_variant_are_refused(tmp_path, given, message):
    table = json.loads(json.dumps(TABLE))
    table["search"]["over"]["variant"] = ["plain", "mse"]
    table["search"]["given"] = given
    with pytest.raises(InputError, match=message):
        rounds.Compress(table, tmp_path, "x.toml")


def test_how_many_teach_is_no_setting_to_be_tried(tmp_path):
    table = json.loads(json.dumps(TABLE))
    table["search"]["over"]["teachers"] = [1, 2]
    with pytest.raises(InputError, match="teachers"):
        rounds.Compress(table, tmp_path, "x.toml")


def test_as_many_teach_as_there_are_and_that_is_said(tmp_path, capsys):
    table = json.loads(json.dumps(TABLE))
    table["search"]["given"] = {
        "student_fit.select": {"loss": {"teachers": 5}},
        # Of one task alone: both rounds have it, and who teaches is the students' matter.
        "data.task": {"topics-sib200": {"teachers": 4}},
    }
    crew = Crew()
    run(table, tmp_path, crew)
    students = [t for t in crew.done if hasattr(t.settings, "teacher")]
    assert {
        (t.values["data.task"], t.settings.fit.select, t.settings.teacher.count(",") + 1)
        for t in students
    } == {
        ("ner-conll2002", "metric", 1), ("ner-conll2002", "loss", 4),
        ("topics-sib200", "metric", 4), ("topics-sib200", "loss", 4),
    }  # fmt: skip
    said = capsys.readouterr().err
    note = "student_fit.select loss: 5 teachers asked for, 4 there"
    assert f"{note} (ner-conll2002)" in said and f"{note} (topics-sib200)" in said
    assert said.count("asked for") == 2


def test_a_single_search_has_variants_too(tmp_path):
    recipe = tmp_path / "x.toml"
    recipe.write_text(
        'model = "ligero-nano"\n[data]\ntask = "topics-sib200"\n'
        '[search.over]\nvariant = ["a", "b"]\nseed = [0, 1]\n[search.given.variant.b.fit]\nepochs = 3\n'
    )
    (search,) = next(iter(rounds.read(recipe, tmp_path)))
    assert [(t.settings.seed, t.settings.fit.epochs) for t in search.trials()] == [
        (0, 10), (1, 10), (0, 3), (1, 3)
    ]  # fmt: skip
    # Variants that name nothing are one trial, by whatever name.
    assert len({t.name for t in search.trials()}) == 4


def test_what_is_left_out_is_not_tried_in_the_round_that_it_is_of(tmp_path):
    table = json.loads(json.dumps(TABLE))
    own = table["search"]
    own["over"]["variant"] = ["plain", "other"]
    own["given"] = {"variant": {"other": {"distill": {"alpha": 0.5}}}}
    own["over"]["seed"] = [0, 1]
    everything = run(table, tmp_path / "all", whole := Crew()).results()["rounds"]
    own["without"] = [
        {"variant": ["other"], "data.task": ["topics-sib200"]},
        {"teacher": own["over"]["teacher"][0], "data.task": "topics-sib200"},
        {"seed": 1, "variant": "plain"},
    ]
    found = run(table, tmp_path / "some", crew := Crew()).results()["rounds"]

    def kept(trial, left_out):
        return not any(
            all(trial.values[path] in plan.listed(chosen) for path, chosen in entry.items())
            for entry in left_out
        )

    def names(crew, round_):
        return {t.name for t in crew.done if hasattr(t.settings, "model") == (round_ == "teachers")}

    first, second, third = own["without"]
    second = {"model": second["teacher"], "data.task": second["data.task"]}
    teachers = [t for t in whole.done if hasattr(t.settings, "model")]
    students = [t for t in whole.done if hasattr(t.settings, "teacher")]
    assert names(crew, "teachers") == {t.name for t in teachers if kept(t, [second])}
    left = {
        (t.values["data.task"], t.values["variant"], t.values["seed"])
        for t in students
        if kept(t, [first, third])
    }
    mine = [t for t in crew.done if hasattr(t.settings, "teacher")]
    assert {(t.values["data.task"], t.values["variant"], t.values["seed"]) for t in mine} == left
    assert found["students"]["trials"] == len(mine) < everything["students"]["trials"]
    assert found["teachers"]["trials"] == everything["teachers"]["trials"] - len(teachers) // 4


@pytest.mark.parametrize(
    ("without", "message"),
    [
        ([{"studen": "x"}], "studen"),
        ([{"student": "x"}], "value of student"),
        ([{}], "without"),
        ("student", "without"),
        ({"student": "x"}, "without"),
    ],
)
def test_what_is_never_tried_cannot_be_left_out(tmp_path, without, message):
    table = json.loads(json.dumps(TABLE))
    table["search"]["without"] = without
    with pytest.raises(InputError, match=message):
        rounds.Compress(table, tmp_path, "x.toml")

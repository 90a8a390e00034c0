"""A search's trials are held against what is there now: data, models, teachers, text."""

import contextlib
import json
import shutil
from dataclasses import replace

import pytest

import small
from ligero import compress, config
from ligero.config import FinetuneConfig
from ligero.errors import InputError
from ligero.jobs import Workers
from ligero.runs import publish, read_json, write_json
from ligero.search import drive, plan
from ligero.search.outcome import OUTCOME, Outcome
from ligero.tasks import source

pytestmark = pytest.mark.usefixtures("known_here", "one_thread")

OTHER = "Ana B-PER\nvive O\nen O\nCusco B-LOC\n. O\n\n"
TEXT = "".join(
    f"Pedro vive en Perú desde el año {n} y no piensa en otra cosa.\n" for n in range(30)
)


@pytest.fixture(scope="module")
def known_here():
    with small.known():
        yield


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A finished search whose trials had a teacher and text without labels; `model` is a run of
    before, from which they began."""
    place = tmp_path_factory.mktemp("content")
    small.write(place / "data")
    (place / "text.txt").write_text(TEXT, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LIGERO_CACHE", str(place / "cache"))
        for name, seed in (("teacher", 0), ("model", 1), ("other", 2)):
            compress.finetune(config.build(FinetuneConfig, finetuned(place, name, seed)))
        searched(place)
    return place


def files(folder):
    return {name: str(folder / f"{name}.conll") for name in ("train", "dev", "test")}


def finetuned(place, name, seed):
    return {
        "model": small.STUDENT, "data": files(place / "data"), "vocab": {"size": 300}, "seed": seed,
        "fit": {"epochs": 1, "batch_size": 8}, "place": {"out": str(place / name)},
    }  # fmt: skip


def recipe(place, rates=(1e-3,)):
    return {
        "verb": "distill", "data": files(place / "data"), "student": str(place / "model"),
        "teacher": str(place / "teacher"), "unlabeled": str(place / "text.txt"),
        "pool": {"ratio": 0.2}, "fit": {"epochs": 1, "batch_size": 8},
        "search": {"over": {"fit.learning_rate": list(rates)}},
    }  # fmt: skip


class Nobody:
    """A crew that nothing should be asked of."""

    def run(self, jobs, **how):
        raise AssertionError([job.folder.name for job in jobs])


def searched(place, crew=None, **how):
    search = drive.Search(plan.make(recipe(place, **how), "x.toml"), place / "out")
    if crew is None:
        with Workers(1) as crew:
            search.run(crew)
    else:
        search.run(crew)
    return search


@contextlib.contextmanager
def holding(path, text):
    """A file with another content."""
    before = path.read_bytes()
    path.write_text(text, encoding="utf-8")
    try:
        yield
    finally:
        path.write_bytes(before)


@contextlib.contextmanager
def swapped(first, second):
    """Two folders, each by the other's name."""
    aside = first.with_name("aside")

    def swap():
        first.rename(aside)
        second.rename(first)
        aside.rename(second)

    swap()
    try:
        yield
    finally:
        swap()


def test_an_outcome_says_what_it_was_made_of(place):
    (ended,) = searched(place, Nobody()).outcomes()
    assert ended.state == "done" and not ended.notes
    assert ended.content.keys() == {"data", "weights", "teacher", "unlabelled"}
    begun = read_json(place / "out" / ended.run / "config.json")["identity"]
    assert ended.content["data"] == begun["data"]
    assert ended.content["weights"] == begun["weights"]


@pytest.mark.parametrize("split", ["train", "dev", "test"])
def test_other_data_are_refused(place, split):
    path = place / "data" / f"{split}.conll"
    for rates in ((1e-3,), (1e-3, 2e-3)):
        with (
            holding(path, path.read_text(encoding="utf-8") + OTHER),
            pytest.raises(InputError, match=r"before the data .*train\.conll.* another --out"),
        ):
            # Neither is what is missing done first.
            searched(place, rates=rates)
    assert len(list((place / "out" / "outcomes").iterdir())) == 1


def test_the_same_content_is_the_same_however_it_is_written(place):
    path = place / "data" / "train.conll"
    with holding(path, path.read_text(encoding="utf-8").replace(" O\n", "\tO\n") + "\n\n"):
        searched(place, Nobody())


def test_a_teacher_that_was_trained_anew_is_refused(place):
    with (
        swapped(place / "teacher", place / "other"),
        pytest.raises(InputError, match=r"before the teacher '.*teacher' changed"),
    ):
        searched(place, Nobody())
    searched(place, Nobody())


def test_other_first_weights_are_refused(place):
    with (
        swapped(place / "model", place / "other"),
        pytest.raises(InputError, match=r"before the model '.*model' changed"),
    ):
        searched(place, Nobody())


def test_other_text_without_labels_is_refused(place):
    with (
        holding(place / "text.txt", TEXT.replace("Pedro", "Lucía", 1)),
        pytest.raises(InputError, match=r"before the text without labels \(.*text.txt"),
    ):
        searched(place, Nobody())


def test_what_is_gone_contradicts_nothing(place):
    """The table of a search that is finished can be read anywhere."""
    names = ("data", "teacher", "model", "text.txt")
    for name in names:
        (place / name).rename(place / f"{name}-away")
    try:
        (ended,) = searched(place, Nobody()).outcomes()
    finally:
        for name in names:
            (place / f"{name}-away").rename(place / name)
    assert ended.state == "done"


def test_an_outcome_of_before_counts_as_it_is(place):
    (ended,) = searched(place, Nobody()).outcomes()
    path = place / "out" / "outcomes" / ended.name / OUTCOME
    old = json.loads(path.read_text())
    del old["content"]
    changed = place / "data" / "train.conll"
    with (
        holding(path, json.dumps(old)),
        holding(changed, changed.read_text(encoding="utf-8") + OTHER),
    ):
        (found,) = searched(place, Nobody()).outcomes()
    assert found == replace(ended, content={})


def test_a_trial_that_has_only_begun_is_held_against_it_too(place):
    """Or it would be recorded as one that failed."""
    (ended,) = searched(place, Nobody()).outcomes()
    folder = place / "out" / "outcomes" / ended.name
    kept = shutil.move(folder, place / "kept")
    path = place / "data" / "train.conll"
    try:
        with (
            holding(path, path.read_text(encoding="utf-8") + OTHER),
            pytest.raises(InputError, match=r"trials/.*before the data"),
        ):
            searched(place)
        assert not folder.exists()
    finally:
        shutil.move(kept, folder)


class Crew:
    """Leaves outcomes without training. content: limit of the data -> what they say they are of."""

    def __init__(self, content):
        self.content = content

    def run(self, jobs, *, finished, **how):
        for job in jobs:
            trial = job.arguments["plan"].trial(job.arguments["values"])
            content = self.content.get(trial.settings.data.limit, {})
            ended = Outcome(trial.name, trial.values, trial.group, "failed", "", content=content)
            with publish(job.folder) as folder:
                write_json(folder / OUTCOME, ended.as_dict())
            finished(job, None)


def test_data_are_read_once_and_only_where_a_trial_knows_its_own(tmp_path, data, monkeypatch):
    loaded = []
    load = source.load
    monkeypatch.setattr(source, "load", lambda config: loaded.append(config.limit) or load(config))
    table = {
        "model": small.STUDENT, "data": files(data),
        "search": {"over": {"data.limit": [40, 48], "seed": [0, 1, 2]}},
    }  # fmt: skip
    made = plan.make(table, "x.toml")
    configs = {trial.values["data.limit"]: trial.settings.data for trial in made.grid()}
    known = {limit: {"data": load(config).digest} for limit, config in configs.items()}
    for out, content in (("old", {}), ("new", known), ("wrong", {40: known[40], 48: known[40]})):
        drive.Search(made, tmp_path / out).run(Crew(content))
    assert not loaded
    drive.Search(made, tmp_path / "old").run(Nobody())
    assert not loaded
    drive.Search(made, tmp_path / "new").run(Nobody())
    assert loaded == [40, 48]
    with pytest.raises(InputError, match="changed"):
        drive.Search(made, tmp_path / "wrong").run(Nobody())

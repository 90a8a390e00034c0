"""The catalog of tasks: whole, consistent with formats and kinds, and true of the real files."""

import re
from dataclasses import replace
from pathlib import PurePosixPath

import pytest

from ligero.config import DataConfig
from ligero.errors import InputError
from ligero.models import catalog as models
from ligero.tasks import catalog, formats, kinds, source
from ligero.tasks.catalog import published

# The tasks of the papers' tables, and BETO's dependency parsing.
GLUES = {
    "mldoc", "pawsx", "xnli", "pos-ancora", "ner-conll2002", "mlqa", "sqac", "tar-xquad", "ud-ancora",
}  # fmt: skip
STAND_INS = {
    "news-topics", "topics-sib200",
    "pawsx-small", "xnli-small", "pos-ancora-small", "tar-small", "ud-ancora-small",
}  # fmt: skip
ENTRIES = list(catalog.TASKS.values())
# Labels of each kind and flavour, by which a kind says what figures it gives.
LABELS = {"ner-conll2002": ("O", "B-PER", "I-PER")}


def each(entries):
    return pytest.mark.parametrize("entry", entries, ids=lambda entry: entry.name)


def test_all_of_glues_is_there_and_its_stand_ins():
    assert set(catalog.TASKS) == GLUES | STAND_INS
    assert all(name == entry.name for name, entry in catalog.TASKS.items())


@each(ENTRIES)
def test_an_entry_is_whole(entry):
    assert entry.format in formats.FORMATS
    assert entry.kind in kinds.KINDS
    assert {"train", "test"} <= set(entry.files) <= {"train", "dev", "test"}
    assert all(names for names in entry.files.values())
    assert set(entry.counts) <= set(entry.files)
    assert entry.licence and entry.citation
    assert "https://" in entry.source
    assert entry.drop_ids_of is None or entry.drop_ids_of in entry.files


@each(ENTRIES)
def test_its_figures_are_those_its_kind_gives(entry):
    kind = kinds.find(entry.kind)
    labels = LABELS.get(entry.name, ("a", "b"))
    conventions = kind.conventions(labels)
    assert entry.metrics[0] == kind.metric(labels)
    assert set(entry.metrics) == {name for names in conventions.values() for name in names}


@each(ENTRIES)
def test_checksums_are_of_its_files(entry):
    names = {PurePosixPath(name).name for files in entry.files.values() for name in files}
    assert set(entry.checksums) <= names
    for known in entry.checksums.values():
        assert known and all(re.fullmatch(r"[0-9a-f]{64}", one) for one in known)


@each([entry for entry in ENTRIES if entry.hub])
def test_what_is_on_the_hub_is_pinned(entry):
    assert re.fullmatch(r"[0-9a-f]{40}", entry.hub.revision)
    assert set(entry.hub.files) == set(entry.files)
    assert set(entry.hub.sha256) <= set(entry.files)
    for split, path in entry.hub.files.items():
        address = f"hf://datasets/{entry.hub.repository}@{entry.hub.revision}/{path}"
        assert entry.hub.address(split) == address


def test_a_misspelt_task_brings_the_nearest():
    assert catalog.find("xnli").title == "XNLI (Spanish)"
    with pytest.raises(InputError, match="did you mean ner-conll2002"):
        catalog.find("ner-conll2003")


def test_a_small_task_trains_on_dev_and_keeps_the_test_file():
    whole, small = catalog.find("pos-ancora"), catalog.find("pos-ancora-small")
    assert small.files == {"train": whole.files["dev"], "test": whole.files["test"]}
    assert small.counts == {"train": 1654, "test": 1721}
    assert replace(small, name="", title="", files={}, counts={}, note="") == replace(
        whole, name="", title="", files={}, counts={}, note=""
    )


# Overall scores of Speedy Gonzales, Table 3: the mean over eight tasks, answers entering by F1.
OVERALL = {
    ("beto-cased", False): 84.82,
    ("albeto-tiny", False): 74.97,
    ("roberta-bne-large", False): 68.42,
    ("albeto-tiny", True): 76.49,
    ("albeto-base-2", True): 72.98,
    ("albeto-base-10", True): 84.32,
}


def test_published_scores_add_up_to_the_published_means():
    rows: dict[tuple[str, bool], list[float]] = {}
    for entry in ENTRIES:
        for row in published.of(entry.name):
            assert row.model in models.MODELS
            assert set(row.scores) <= set(entry.metrics)
            rows.setdefault((row.model, row.distilled), []).append(next(iter(row.scores.values())))
    assert len(rows) == 17 and all(len(scores) == 8 for scores in rows.values())
    for model, overall in OVERALL.items():
        # The paper cuts or rounds the second decimal.
        assert sum(rows[model]) / 8 == pytest.approx(overall, abs=0.011)


def test_only_the_papers_own_tasks_have_published_scores():
    assert {entry.name for entry in ENTRIES if published.of(entry.name)} == GLUES - {"ud-ancora"}
    assert published.of("sqac")[0].scores == {"f1_english": 72.22, "exact_english": 53.45}


@each(ENTRIES)
def test_real_files_are_the_copies_that_are_known_and_hold_what_is_said(entry, real_data):
    data = DataConfig(task=entry.name, folder=str(real_data))
    at_hand = []
    for name in entry.files:
        try:
            path = source.find_file(entry, name, data)
        except InputError:
            continue
        at_hand.append(name)
        assert source.known_copy(entry, path) is True
        split = source.load_split(data, name)
        assert split.kind == entry.kind
        # Six rows of the copy at hand are left out, since their label could not be verified.
        lacking = 6 if path.name == "test_2k.tsv" else 0
        assert len(split.examples) == entry.counts[name] - lacking
        if entry.aliases:
            found = {label for e in split.examples for label in e.gold["label"]}
            assert not found & set(entry.aliases)
    if not at_hand:
        pytest.skip(f"no file of {entry.title} is at hand")


def test_the_ids_that_training_drops_are_there(real_data):
    entry = catalog.find("tar-small")
    data = DataConfig(task=entry.name, folder=str(real_data))
    train, test = (source.load_split(data, name) for name in ("train", entry.drop_ids_of))
    assert len({e.id for e in train.examples} & {e.id for e in test.examples}) == 732

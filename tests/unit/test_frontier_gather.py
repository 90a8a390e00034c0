"""Runs, suites and exported folders as points; what is damaged or unfinished is named and left out."""

import json

import pytest

from frontier_folders import export, results, row, run
from ligero import runs
from ligero.errors import InputError
from ligero.measure import gather

MICRO = {
    "model_type": "modernbert", "hidden_size": 192, "intermediate_size": 384,
    "num_hidden_layers": 2,
}  # fmt: skip


def accuracy(found):
    return [p for p in found.points if p.metric == "accuracy"]


def compression(folder):
    """A compression around its three stages, as they lie on disk."""
    teacher = row("ligero-tiny", 80.0, steps=5)
    alone, taught = row("ligero-micro", 70.0, steps=5), row("ligero-micro", 72.0, steps=5)
    for name, found in (
        ("teacher", {"teacher": teacher}),
        ("student-alone", {"student-alone": alone}),
        ("student", {"teacher": teacher, "student": taught}),
    ):
        run(folder / name, "distill" if name == "student" else "finetune", results(**found))
    timed = {"teacher": teacher, "student-alone": alone, "student": taught}
    found = results(**{name: {**r, "seconds_per_1000": 1.0} for name, r in timed.items()})
    (folder / "more").mkdir()
    made = run(folder / "whole", "compress", {**found, "title": "Parts", "timed_in_turn": True})
    for path in made.iterdir():
        path.rename(folder / path.name)
    made.rmdir()
    return folder


def test_a_compression_counts_each_of_its_models_once(tmp_path):
    compression(tmp_path / "runs" / "c")
    found = gather.gather([tmp_path])
    assert found.left_out == [] and found.titles == {"pos-ancora": "Parts"}
    assert [(p.name, p.score, p.taught) for p in accuracy(found)] == [
        ("ligero-tiny", 80.0, False), ("ligero-micro", 70.0, False), ("ligero-micro", 72.0, True),
    ]  # fmt: skip
    # Of the stage and the compression around it, the one whose models were timed in turn.
    assert {p.seconds for p in found.points} == {1.0}
    tiny, micro, _ = accuracy(found)
    assert tiny.interval == (78.0, 82.0) and tiny.data == "d" and tiny.parameters == 2_000_000
    assert 1 / tiny.relative == pytest.approx(32.3, abs=0.1) and micro.macs < tiny.macs
    # The papers' figure stands beside the task's own.
    assert [p.score for p in found.points if p.metric == "chunk_f1"] == [79.0, 69.0, 71.0]


def test_a_models_own_configuration_says_what_it_multiplies(tmp_path):
    run(tmp_path / "a", "finetune", results(model=row("../mine", 60.0)), config=MICRO)
    run(tmp_path / "b", "finetune", results(model=row("../other", 61.0)))
    strange = {**MICRO, "model_type": "deberta"}
    run(tmp_path / "c", "finetune", results(model=row("third", 62.0)), config=strange)
    first, second, third = accuracy(gather.gather([tmp_path]))
    assert (first.name, second.name) == ("mine", "other")
    assert 1 / first.relative == pytest.approx(114.7, abs=0.1)
    assert second.macs is None and third.relative is None


def test_a_suite_adds_what_no_run_tells(tmp_path):
    folder = tmp_path / "suite"
    run(folder / "pos", "finetune", results(model=row("ligero-micro", 70.0)))
    rows = [
        results(model=row("ligero-micro", 70.0)),
        results(task="xnli-small", model=row("ligero-micro", 40.0)),
        {**results(task="pos on mlqa:dev", model=row("ligero-micro", 4.0)), "elsewhere": True},
    ]
    runs.write_json(folder / "results.json", {"recipe": "r.toml", "rows": rows})
    found = gather.gather([folder])
    assert [(p.task, p.score) for p in accuracy(found)] == [
        ("pos-ancora", 70.0), ("xnli-small", 40.0),
    ]  # fmt: skip
    # The same from the file alone, and a benchmark's means over seeds.
    alone = gather.gather([folder / "results.json"])
    assert [p.score for p in accuracy(alone)] == [70.0, 40.0]
    seeds = row("ligero-micro", 1.0) | {"test": {"mean": 55.0, "sd": 1.0, "values": [54, 56]}}
    seeds["seconds_per_1000"] = {"mean": 3.0}
    runs.write_json(tmp_path / "bench.json", results(student=seeds))
    (point,) = gather.gather([tmp_path / "bench.json"]).points
    assert (point.score, point.seconds, point.interval) == (55.0, 3.0, (-1.0, 3.0))
    assert point.source == str(tmp_path / "bench.json")


def test_what_is_damaged_or_unfinished_is_named(tmp_path):
    good = run(tmp_path / "good", "finetune", results(model=row("ligero-micro", 70.0)))
    bad = run(tmp_path / "bad", "finetune", results(model=row("ligero-micro", 71.0)))
    (bad / "results.json").write_text((good / "results.json").read_text().replace("70.0", "99.9"))
    unfinished = run(tmp_path / "half", "compress", results(model=row("ligero-micro", 72.0)))
    (unfinished / "manifest.json").unlink()
    strange = run(tmp_path / "strange", "distill", {"task": "t", "models": {}, "metric": "x"})
    torn = run(tmp_path / "torn", "finetune", results(model=row("ligero-micro", 73.0)))
    (torn / "manifest.json").write_text("{")
    run(tmp_path / "text", "corpus build", {"documents": 3})
    (tmp_path / ".new~host~1.tmp").mkdir()
    (tmp_path / ".new~host~1.tmp" / "results.json").write_text("{")
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "results.json").write_text("[1, 2]")
    found = gather.gather([tmp_path])
    assert [p.score for p in accuracy(found)] == [70.0]
    told = "\n".join(found.left_out)
    for folder in (bad, unfinished, strange, torn):
        assert str(folder) in told
    assert "SHA-256" in told and "compress is not finished" in told and "scored" in told
    assert len(found.left_out) == 4
    with pytest.raises(InputError, match="nowhere"):
        gather.gather([tmp_path / "nowhere"])


def test_exported_folders(tmp_path):
    export(tmp_path / "a", 70.0)
    export(tmp_path / "b", 71.0, score=None)
    cut = export(tmp_path / "c", 72.0)
    (cut / "export.json").write_text((cut / "export.json").read_text()[:-9])
    card = json.loads((tmp_path / "a" / "export.json").read_text())
    del card["buckets"]
    with runs.publish(tmp_path / "d") as place:
        runs.write_json(place / "export.json", card)
    found = gather.gather([tmp_path])
    (point,) = found.points
    assert (point.kind, point.score, point.precision, point.bytes) == (
        "export", 70.0, "int8", 3_000_000,
    )  # fmt: skip
    assert 1 / point.relative == pytest.approx(114.7, abs=0.1)
    assert [e.folder.name for e in found.exports] == ["a", "b"]
    told = "\n".join(found.left_out)
    assert "its score is unknown" in told and "SHA-256" in told and "no buckets" in told


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("ligero-tiny", "ligero-tiny"),
        ("ligero-tiny/model", "ligero-tiny"),
        ("runs/a/student/model", "a"),
        ("model", "model"),
    ],
)
def test_a_model_is_called_by_the_part_that_tells(model, name):
    assert gather._called(model) == name

"""`ligero choose`: what is measured, what is kept, and what it says when nothing fits."""

import json

import numpy as np
import pytest

from frontier_folders import export
from ligero.cli import main
from ligero.errors import InputError
from ligero.measure import budget, latency
from ligero.measure.budget import Timing


class Engine:
    """Answers at once, and remembers what it was asked."""

    def __init__(self, folder, threads):
        self.folder, self.threads, self.asked = folder, threads, []

    def run(self, inputs):
        self.asked.append(inputs)
        return {"output": np.zeros((1, 1))}


@pytest.fixture
def opened(monkeypatch):
    monkeypatch.setattr(budget, "MOST", 20)
    monkeypatch.setattr(latency, "SETTLE", 0)  # these engines take no time at all
    engines = []

    def opener(folder, threads):
        engines.append(Engine(folder, threads))
        return engines[-1]

    opener.engines = engines
    return opener


@pytest.fixture
def kept(tmp_path, monkeypatch):
    monkeypatch.setenv("LIGERO_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "latency.json"


def keep(kept, times, length=20):
    """Write measurements, as if they had been taken: folder -> p95."""
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text(json.dumps({
        budget.key(folder, 2, length): {
            "p50": p95 / 2, "p95": p95, "rounds": 100, "length": length, "threads": 2,
            "date": "2026-01-01",
        }
        for folder, p95 in times.items()
    }))  # fmt: skip


@pytest.fixture
def three(tmp_path, kept):
    """Exported models of 70, 80 and 90 points that take 1, 5 and 30 ms."""
    times = {"a": (70.0, 1.0), "b": (80.0, 5.0), "c": (90.0, 30.0)}
    keep(kept, {export(tmp_path / "runs" / n, score): ms for n, (score, ms) in times.items()})
    return tmp_path / "runs"


def test_all_are_measured_in_turn_and_kept(tmp_path, kept, opened):
    for name in "ab":
        export(tmp_path / "runs" / name, 70.0, inputs=["input_ids", "token_type_ids"])
    made = budget.within("pos-ancora", 1e6, [tmp_path], kept=kept, opener=opened, threads=1)
    assert [e.folder.name for e in opened.engines] == ["a", "b"]
    assert len(opened.engines[0].asked) == len(opened.engines[1].asked) >= 2 * 20
    # A text of the task's p95, 20 sub-words, padded to the next of the model's lengths.
    (inputs, *_) = opened.engines[0].asked
    assert inputs.keys() == {"input_ids", "token_type_ids"}
    assert inputs["input_ids"].shape == (1, 32) and inputs["input_ids"].dtype == np.int64
    assert (inputs["input_ids"][0] == 1).tolist() == [False] * 20 + [True] * 12
    assert inputs["input_ids"].max() < 50
    timing = made.timings[str(tmp_path / "runs" / "a")]
    assert (timing.length, timing.threads, timing.rounds) == (20, 1, 20)
    assert 0 <= timing.p50 <= timing.p95

    def never(*_, **__):
        raise AssertionError("measured again")

    again = budget.within("pos-ancora", 1e6, [tmp_path], kept=kept, opener=never, threads=1)
    assert again == made
    # Anew: when asked to, for another length or number of threads, or where a model is lacking.
    for change in ({"again": True}, {"length": 9}, {"threads": 2}):
        opened.engines.clear()
        options = {"threads": 1, "kept": kept, "opener": opened} | change
        budget.within("pos-ancora", 1e6, [tmp_path], **options)
        assert len(opened.engines) == 2, change
    opened.engines.clear()
    export(tmp_path / "runs" / "c", 60.0)
    budget.within("pos-ancora", 1e6, [tmp_path], kept=kept, opener=opened, threads=1)
    assert len(opened.engines) == 3
    kept.write_text("not JSON")
    opened.engines.clear()
    budget.within("pos-ancora", 1e6, [tmp_path], kept=kept, opener=opened, threads=1)
    assert len(opened.engines) == 3 and len(budget.read_kept(kept)) == 3


def test_a_model_exported_anew_is_another(tmp_path):
    folder = export(tmp_path / "a", 70.0)
    before = budget.key(folder, 2, 20)
    assert budget.key(export(folder, 70.0), 2, 20) == before
    assert budget.key(export(folder, 71.0), 2, 20) != before


def test_what_cannot_be_compared_is_left_out(tmp_path, opened):
    task = {"name": "pos-ancora", "metric": "accuracy", "lengths": {"p50": 10, "p95": 20}}
    export(tmp_path / "a", 70.0)
    export(tmp_path / "b", 71.0)
    export(tmp_path / "dev", 99.0, task=task | {"split": "dev"})
    export(tmp_path / "short", 99.0, window=8)
    export(tmp_path / "bucket", 99.0, buckets=[16])
    damaged = export(tmp_path / "damaged", 99.0)
    manifest = json.loads((damaged / "manifest.json").read_text())
    manifest["files"]["gone"] = {"bytes": 1, "sha256": "0"}
    (damaged / "manifest.json").write_text(json.dumps(manifest))
    made = budget.within("pos-ancora", 1e6, [tmp_path], length=18, opener=opened)
    assert [p.name for p in made.points] == ["b", "a"] and made.chosen.name == "b"
    told = "\n".join(made.left_out)
    for said in ("accuracy on dev", "reads 8 sub-words at once, not 18", "[16]", "gone: missing"):
        assert said in told
    assert len(made.left_out) == 4


def test_the_command_names_the_best_that_fits(three, capsys):
    arguments = ["choose", str(three), "--task", "pos-ancora", "--max-ms"]
    assert main([*arguments, "10"]) == 0
    said = capsys.readouterr().out
    (line,) = [line for line in said.splitlines() if "->" in line]
    assert all(cell in line for cell in ("b", "int8", "80.00 ±1.00", "2.50", "5.00", "3.0", "20"))
    assert "b (int8) scores highest of the 2 within 10 ms" in said
    assert "c (int8) would score 10.00 more in 30.00 ms" in said
    assert main([*arguments, "10", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["chosen"] == str(three / "b") and len(found["models"]) == 3
    assert found["models"][0]["p95"] == 30.0


def test_the_command_when_nothing_fits(three, capsys):
    arguments = ["choose", str(three), "--task", "pos-ancora", "--max-ms", "0.4"]
    assert main(arguments) == 1
    said = capsys.readouterr()
    assert "->" not in said.out
    assert "the nearest is a (int8) with 1.00 ms, 0.60 ms over" in said.err
    assert main([*arguments, "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["chosen"] is None


def test_a_faster_one_within_the_interval_is_told(tmp_path, kept):
    near, best = export(tmp_path / "near", 79.5), export(tmp_path / "best", 80.0)
    keep(kept, {near: 1.0, best: 4.0})
    made = budget.within("pos-ancora", 5, [tmp_path], kept=kept)
    assert made.chosen.name == "best"
    assert "near (int8), 4.0x as fast, is within its 95% interval" in made.reason


@pytest.mark.parametrize(
    ("task", "ms", "said"),
    [
        ("pos-ancora", -1.0, "budget of -1 ms"),
        ("pos-ancora", 0.0, "budget of 0 ms"),
        ("pos-ancora", float("nan"), "budget of nan ms"),
        ("pos-ancoras", 5.0, "did you mean pos-ancora"),
        ("ner-conll2002", 5.0, "no exported model of ner-conll2002, but of pos-ancora"),
    ],
)
def test_questions_without_an_answer(three, kept, task, ms, said):
    with pytest.raises(InputError, match=said):
        budget.within(task, ms, [three], kept=kept)


def test_folders_without_an_answer(tmp_path, kept, capsys):
    with pytest.raises(InputError, match="no exported model; expected one: ligero export RUN"):
        budget.within("pos-ancora", 5, [tmp_path], kept=kept)
    export(tmp_path / "a", 70.0, score=None)
    with pytest.raises(InputError, match="its score is unknown"):
        budget.within("pos-ancora", 5, [tmp_path], kept=kept)
    assert main(["choose", str(tmp_path / "x"), "--task", "pos-ancora", "--max-ms", "5"]) == 2
    assert main(["choose", str(tmp_path), "--task", "pos-ancora", "--max-ms", "five"]) == 2
    assert main(["choose", str(tmp_path), "--task", "pos-ancora"]) == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 3 and "no folder" in said[0] and "'five'" in said[1]


def test_the_report_shows_what_was_kept(three, kept):
    from ligero.measure import gather

    found = gather.gather([three])
    points = budget.with_kept(found.exports, found.points, kept)
    assert [p.ms for p in points] == [1.0, 5.0, 30.0]
    assert "one text of 20 sub-words, 2 threads" in points[0].terms
    assert Timing(**json.loads(kept.read_text()).popitem()[1]).p95 == 30.0

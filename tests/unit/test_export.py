"""`ligero export`: a trained run becomes a folder that its gate let through, or none does."""

import json
import subprocess
import sys

import numpy as np
import openvino as ov
import pytest

import small
from ligero.cli import main
from ligero.config import DataConfig, ExportConfig, PlaceConfig
from ligero.errors import LigeroError
from ligero.export import build as exporting
from ligero.runs import verify
from ligero.runtime import Predictor
from ligero.runtime.card import Card

pytestmark = pytest.mark.usefixtures("one_thread", "known")
ENDINGS = {"tag": "conll", "classify": "tsv", "answer": "json", "parse": "conllu"}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """One short run for each kind of task: kind -> its folder, and the data."""
    place = tmp_path_factory.mktemp("runs")
    small.register()
    data = small.write(place / "data")
    for kind, ending in ENDINGS.items():
        flags = ["--kind", kind] if ending == "conllu" else []
        # Few buckets: a graph is compiled for each.
        command = [*small.finetune(data, place / kind, ending=ending), "--window", "40"]
        assert main([*command, *flags]) == 0
    return place, data


def command(runs, kind, out, *more):
    place, data = runs
    flags = ["--kind", kind] if kind == "parse" else []
    return ["export", str(place / kind), *small.files(data, ENDINGS[kind]), *flags,
            "--out", str(out), "--threads", "1", *more]  # fmt: skip


def config(runs, kind="tag", **changes):
    _, data = runs
    files = {n: str(data / f"{n}.{ENDINGS[kind]}") for n in ("train", "dev", "test")}
    return ExportConfig(data=DataConfig(**files), place=PlaceConfig(threads=1), **changes)


@pytest.mark.parametrize("kind", ENDINGS)
def test_every_kind_is_exported_and_scores_as_before(runs, tmp_path, capsys, kind):
    out = tmp_path / "out"
    assert main(command(runs, kind, out, "--precision", "bf16")) == 0
    said = capsys.readouterr()
    assert "passed" in said.out and "bf16 on openvino" in said.out
    verify(out)
    card = Card.read(out)
    assert card.kind == kind and card.precision == "bf16" and card.bytes > 10_000
    report = json.loads((out / "gate.json").read_text())
    (verdict,) = report["verdicts"]
    assert [c["name"] for c in verdict["checks"]][:-1] == [f"bucket {b}" for b in card.buckets]
    assert all(c["count"] == 200 for c in verdict["checks"][:-1])
    assert "bf16 on openvino" in (out / "README.md").read_text()
    # What it was scored by is what `ligero evaluate` says of it, without torch.
    _, data = runs
    more = ["--out", str(tmp_path / "scores.json")]
    assert main(["evaluate", str(out), str(data / f"dev.{ENDINGS[kind]}"), *more]) == 0
    (row,) = json.loads((tmp_path / "scores.json").read_text())["models"].values()
    assert row["test"][card.task["metric"]] == pytest.approx(card.score["exported"])
    assert row["parameters"] == card.model["parameters"]


def test_auto_tries_all_and_takes_the_fastest(runs, tmp_path):
    results = exporting.export(str(runs[0] / "tag"), _placed(config(runs), tmp_path / "x"))
    tried = [v["precision"] for v in results["verdicts"]]
    assert tried == ["int8", "bf16", "fp32"]
    passed = [v["precision"] for v in results["verdicts"] if v["passed"]]
    assert results["chosen"] in passed
    assert results["milliseconds"].keys() == {"original", *passed}
    assert results["chosen"] == min(passed, key=results["milliseconds"].get)
    assert results["bytes"]["bf16"] < results["bytes"]["fp32"]


def test_a_graph_that_is_wrong_at_one_length_does_not_pass(runs, tmp_path, monkeypatch):
    right = Predictor.encoded_scores

    def wrong(self, encoded, bucket=None):
        found = right(self, encoded, bucket)
        if self.card.precision == "bf16" and bucket == 32:
            found = [{"tag": np.flip(scores["tag"], axis=1)} for scores in found]
        return found

    monkeypatch.setattr(Predictor, "encoded_scores", wrong)
    results = exporting.export(
        str(runs[0] / "tag"), _placed(config(runs, precision="bf16"), tmp_path / "x")
    )
    first, second = results["verdicts"]
    assert [c["name"] for c in first["checks"] if not c["passed"]] == ["bucket 32"]
    assert second["precision"] == results["chosen"] == "fp32" and second["passed"]
    assert "failed: bucket 32" in (tmp_path / "x" / "README.md").read_text()


def test_a_score_that_falls_does_not_pass(runs, tmp_path, monkeypatch, capsys):
    right = Predictor.scores

    def worse(self, examples):
        found = right(self, examples)
        # The first sentence's tags all become the last one of the list.
        return [{"tag": np.roll(found[0]["tag"], 1, axis=1)}, *found[1:]]

    monkeypatch.setattr(Predictor, "scores", worse)
    with pytest.raises(LigeroError, match=r"no precision passed.*f1 lost"):
        exporting.export(str(runs[0] / "tag"), _placed(config(runs), tmp_path / "x"))
    assert not (tmp_path / "x").exists()
    said = capsys.readouterr().err
    assert "falling back to bf16" in said and "falling back to fp32" in said


def test_what_it_cannot_do_is_said_in_one_line(runs, tmp_path, capsys):
    place, data = runs
    assert main(["export", str(place / "tag")]) == 2
    assert "--task NAME, or --train FILE" in capsys.readouterr().err
    files = small.files(data, "tsv")
    assert main(["export", str(place / "tag"), *files, "--out", str(tmp_path / "x")]) == 2
    assert "kind classify" in capsys.readouterr().err
    bad = command(runs, "tag", tmp_path / "x", "--runtime", "onnx", "--precision", "bf16")
    assert main(bad) == 2
    assert "fp32 or int8" in capsys.readouterr().err
    assert main(["export", str(tmp_path / "none"), *small.files(data)]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert not (tmp_path / "x").exists()
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.tex").write_text("all of it")
    assert main(command(runs, "tag", mine)) == 2
    assert "earlier export" in capsys.readouterr().err
    assert [path.name for path in mine.iterdir()] == ["thesis.tex"]


def test_an_export_stands_beside_its_run_and_replaces_the_one_before(runs):
    place, _ = runs
    for _ in range(2):
        made = [a for a in command(runs, "tag", "x", "--runtime", "onnx", "--precision", "fp32")]
        del made[made.index("--out") : made.index("--out") + 2]
        assert main(made) == 0
    verify(place / "tag" / "export")
    verify(place / "tag")
    assert main(["predict", str(place / "tag" / "export"), "Ana García vive en Perú ."]) == 0


def test_tools_that_report_home_are_kept_from_it():
    code = (
        "import ligero.export.quantise, nncf.telemetry.wrapper as w\n"
        "print(type(w.telemetry).__name__)\n"
        "import sys; print(sys.modules['openvino_telemetry'])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.split() == ["MagicMock", "None"]


def test_openvino_reads_what_was_written(runs, tmp_path):
    assert main(command(runs, "tag", tmp_path / "x", "--precision", "fp32")) == 0
    model = ov.Core().read_model(tmp_path / "x" / "model.xml")
    assert [i.any_name for i in model.inputs] == ["input_ids", "attention_mask"]


def _placed(config, out):
    return ExportConfig(
        data=config.data, runtime=config.runtime, precision=config.precision,
        place=PlaceConfig(out=str(out), threads=1),
    )  # fmt: skip

"""`ligero pretrain` from end to end: plan, train, page and curve; and what it says when it cannot."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import small_text
from ligero import runs
from ligero.cli import main
from ligero.report import plots
from ligero.report import pretrain as report

RECIPES = Path(__file__).parents[2] / "recipes" / "pretrain"
TWO = """
model = "ligero-nano"
precision = "fp32"
evaluate_steps = 4
evaluate_windows = 8
[phase]
length = 32
batch_size = 4
steps = 8
[[then]]
length = 64
batch_size = 2
steps = 4
"""


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    return small_text.make(tmp_path_factory.mktemp("text"), 12)


@pytest.fixture
def command(text, tmp_path, one_thread):
    (tmp_path / "two.toml").write_text(TWO)
    folders = ["--shards", str(text / "train"), "--valid", str(text / "valid")]
    place = ["--out", str(tmp_path / "out"), "--threads", "1"]
    return ["pretrain", "--config", str(tmp_path / "two.toml"), *folders, *place]


def test_a_run_and_its_page(command, tmp_path, capsys):
    assert main(command) == 0
    out = tmp_path / "out"
    said = capsys.readouterr().out
    results = runs.read_json(out / "results.json")
    assert f"{results['phases'][1]['loss']:.3f}" in said
    assert f"ligero finetune ner-conll2002 --model {out}" in said
    page = (out / "README.md").read_text()
    assert f"{results['phases'][0]['accuracy']:.2f}" in page
    assert f"{results['text']:,}" in page and f"{results['entries']:,}" in page
    assert "| mask.rate | 0.15 |" in page and "distilbert" not in page
    assert "loss.png" in page
    assert (out / "loss.png").read_bytes().startswith(b"\x89PNG")
    # Both are among what the run vouches for.
    assert {"README.md", "loss.png", "results.json"} <= runs.verify(out)["files"].keys()
    before = (out / "manifest.json").read_bytes()
    assert main(command) == 0
    assert "already finished" in capsys.readouterr().err
    assert (out / "manifest.json").read_bytes() == before


def test_scaled_runs_keep_their_plan(command, tmp_path, capsys):
    # 1,536 sub-words in all, shrunk to a half.
    assert main([*command, "--scale", "768"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("scaled to 768: 768 of 1.54k sub-words; 4 steps of 4 x 32")
    plan = runs.read_json(tmp_path / "out" / "scale.json")
    assert [p["steps"] for p in plan["phases"]] == [4, 2]
    results = runs.read_json(tmp_path / "out" / "results.json")
    assert [p["steps"] for p in results["phases"]] == [4, 2]
    assert results["tokens"] == 768
    assert "scale.json" in runs.verify(tmp_path / "out")["files"]
    assert main([*command, "--scale", "1k"]) == 2
    assert "scaled to 768" in capsys.readouterr().err


def test_without_matplotlib_there_is_a_page_and_a_note(command, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(plots, "find_spec", lambda name: None)
    assert main([*command, "--steps", "2", "--scale", "500"]) == 0
    assert "pip install 'ligero[plots]'" in capsys.readouterr().err
    assert not (tmp_path / "out" / "loss.png").exists()
    assert "loss.png" not in (tmp_path / "out" / "README.md").read_text()


def test_a_folder_in_which_nothing_began_is_given_back(command, tmp_path, capsys):
    # Longer windows than the model can read.
    assert main([*command, "--length", "600", "--steps", "100", "--scale", "50k"]) == 2
    assert "at most" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["albeto-tiny", "beto-cased", "distilbeto", "ligero-tiny"])
def test_plans(name, capsys):
    assert main(["pretrain", "--config", str(RECIPES / f"{name}.toml"), "--plan"]) == 0
    said = capsys.readouterr().out
    assert "TPU v3-8" in said and "FLOP" in said and "parameters" in said
    assert ("58.2 days" in said) == (name == "albeto-tiny")
    assert ("not trained" in said) == (name == "distilbeto")


def test_a_plan_can_be_scaled_and_loads_nothing_heavy(tmp_path):
    recipe = str(RECIPES / "beto-cased.toml")
    code = (
        "import sys\nfrom ligero.cli import main\n"
        f"assert main(['pretrain', '--config', {recipe!r}, '--plan', '--scale', '100M']) == 0\n"
        "print(sorted({'torch', 'transformers', 'matplotlib'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    *table, last = run.stdout.splitlines()
    assert last == "[]"
    assert any("16" in line and "512" in line for line in table)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--plan", "--scale", "30min"], "sub-words"),
        (["--plan", "--scale", "soon"], "100M"),
        (["--plan", "--model", "someone/unknown"], "whose shape is not at hand"),
        (["--plan", "--model", "ligero-tinny"], "did you mean ligero-tiny"),
        (["--plan", "--objective", "distilbert"], "no teacher"),
        ([], "no --shards"),
        (["--mask.rate", "2"], "0.9"),
    ],
)
def test_what_cannot_be_done(arguments, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["pretrain", *arguments]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("number", "said"),
    [(999, "999"), (1000, "1.00k"), (163_840_000, "164M"), (999_960, "1.00M"), (8.7e12, "8.70T")],
)
def test_amounts(number, said):
    assert report.amount(number) == said


@pytest.mark.parametrize(
    ("days", "said"),
    [(0.01, "14.4 minutes"), (0.5, "12.0 hours"), (58.2, "58.2 days"), (3652.5, "10.0 years")],
)
def test_spans(days, said):
    assert report.span(days) == said


def test_smoothing_neither_lags_at_the_start_nor_moves_a_constant():
    assert report.smoothed([3.0] * 50, 10) == pytest.approx([3.0] * 50)
    first, second, *_ = report.smoothed([10.0, 0.0, 0.0], 10)
    assert first == 10.0 and second == pytest.approx(9 / 1.9)


def test_a_curve_runs_over_all_sub_words(tmp_path, monkeypatch):
    """What is drawn: each phase after the one before it, with a gap between."""
    for number in (1, 2):
        folder = tmp_path / f"phase-{number}"
        folder.mkdir()
        lines = [{"step": s, "loss": 9.0 - s, "tokens": 1e6 * s} for s in (1, 2, 3)]
        lines.append({"step": 3, "evaluation": {"loss": 5.0, "accuracy": 20.0 * number}})
        (folder / "metrics.jsonl").write_text("".join(json.dumps(e) + "\n" for e in lines))
    drawn = {}
    monkeypatch.setattr(
        plots, "curves", lambda panels, path, **more: drawn.update(panels=panels, **more) or True
    )
    phases = [{"length": 128, "tokens": 3e6}, {"length": 512, "tokens": 3e6}]
    results = {"model": "m", "objective": "masked+order", "tokens": 6e6, "phases": phases}
    assert report.curve(tmp_path, results)
    assert drawn["marks"] == [(0, "length 128"), (3.0, "length 512")]
    assert "millions" in drawn["x_label"]
    loss, accuracy = drawn["panels"]
    training, validation = loss.lines
    assert [x for x in training.x if x == x] == [1, 2, 3, 4, 5, 6]
    assert [y for y in training.y if y == y] == [8, 7, 6, 8, 7, 6]
    assert [x for x in validation.x if x == x] == [3, 6]
    assert [y for y in accuracy.lines[0].y if y == y] == [20, 40]
    assert "order" in training.name

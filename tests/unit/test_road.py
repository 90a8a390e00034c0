"""The verbs from end to end, on data and models that take seconds."""

import json
from dataclasses import replace

import pytest
import torch
from transformers import (
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    AutoTokenizer,
)

import small
from ligero.cli import main
from ligero.report import suite as report
from ligero.runs import verify
from ligero.tasks import catalog as tasks


@pytest.fixture(scope="module")
def road(tmp_path_factory):
    """A finished compression, its data and its cache."""
    small.register()
    folder = tmp_path_factory.mktemp("road")
    small.write(folder / "data", train=160, dev=30, test=30)
    command = small.compress(folder / "data", folder / "run", folder / "cache")
    assert main(command) == 0
    return folder, command


def test_results_are_complete_and_explain_themselves(road, capsys):
    folder, command = road
    results = json.loads((folder / "run" / "results.json").read_text())
    assert set(results["models"]) == {"teacher", "student-alone", "student"}
    for name, row in results["models"].items():
        assert {"f1", "precision", "recall", "accuracy", "loss"} <= set(row["test"]), name
        assert row["parameters"] > 0 and row["seconds_per_1000"] > 0
    assert results["examples"] == {"train": 160, "dev": 30, "test": 30}
    page = (folder / "run" / "README.md").read_text()
    assert f"{results['models']['student']['test']['f1']:.2f}" in page
    verify(folder / "run")
    # Called again it shows the same and trains nothing.
    before = (folder / "run" / "results.json").stat().st_mtime_ns
    assert main(command) == 0
    out = capsys.readouterr().out
    assert (
        "student, distilled" in out and f"{results['models']['teacher']['test']['f1']:.2f}" in out
    )
    assert (folder / "run" / "results.json").stat().st_mtime_ns == before


def test_the_students_learned(road):
    results = json.loads((road[0] / "run" / "results.json").read_text())
    for name, row in results["models"].items():
        # Always saying O would be right for about two words in three, and find no entity.
        assert row["test"]["f1"] > 30, (name, row["test"])


def test_model_loads_in_plain_transformers_and_agrees(road, capsys):
    folder = road[0] / "run" / "student" / "model"
    model = AutoModelForTokenClassification.from_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert set(model.config.id2label.values()) == {"O", "B-PER", "I-PER", "B-LOC", "I-LOC"}
    text = "Ayer llegó Íñigo Peña a La Rioja ."
    with torch.no_grad():
        chances = model(**tokenizer(text, return_tensors="pt")).logits[0].softmax(-1)
    assert main(["predict", str(road[0] / "run"), text, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["found"]
    offsets = tokenizer(text, return_offsets_mapping=True)["offset_mapping"]
    for entity in found:
        assert text[entity["start"] : entity["end"]] == entity["text"]
        first = next(i for i, (s, e) in enumerate(offsets) if s <= entity["start"] < e)
        # Its first word's best tag, unless that is one that BIO rules out there.
        chance = float(chances[first, model.config.label2id[f"B-{entity['label']}"]])
        assert chance >= entity["probability"] - 1e-4
        if " " not in entity["text"]:
            assert chance == pytest.approx(entity["probability"], abs=1e-4)
    assert found


def test_predict_reads_lines_and_prints_tables(road, capsys, monkeypatch):
    import io

    monkeypatch.setattr(
        "sys.stdin", io.StringIO("Ana García vive en Perú .\nLucía llegó a Córdoba\n")
    )
    assert main(["predict", str(road[0] / "run")]) == 0
    out = capsys.readouterr().out
    assert "Ana García vive en Perú ." in out and "Lucía llegó a Córdoba" in out


def test_evaluate_gives_what_training_gave(road, capsys):
    folder = road[0]
    expected = json.loads((folder / "run" / "results.json").read_text())["models"]["student"][
        "test"
    ]
    assert (
        main(["evaluate", str(folder / "run"), str(folder / "data" / "test.conll"), "--json"]) == 0
    )
    found = json.loads(capsys.readouterr().out)
    assert found["models"]["test.conll"]["test"] == pytest.approx(expected, rel=1e-5)
    out = folder / "scores.json"
    command = [
        "evaluate",
        str(folder / "run"),
        str(folder / "data" / "test.conll"),
        "--out",
        str(out),
    ]
    assert main(command) == 0
    assert f"{expected['f1']:.2f}" in capsys.readouterr().out
    written = json.loads(out.read_text())["models"]["test.conll"]
    assert written["test"] == pytest.approx(expected, rel=1e-5) and written["seconds_per_1000"] > 0


def test_each_file_has_its_row_and_each_label_its_scores(road, tmp_path, capsys):
    folder = road[0]
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        # A bracket in a name is no markup.
        source = folder / "data" / ("test.conll" if name == "a" else "dev.conll")
        (tmp_path / name / "test[x].conll").write_bytes(source.read_bytes())
    files = [str(tmp_path / name / "test[x].conll") for name in "ab"]
    out = tmp_path / "new" / "scores.json"
    command = ["evaluate", str(folder / "run"), *files, "--predictions", str(tmp_path / "p")]
    assert main([*command, "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert "a/test[x].conll" in printed and "PER" in printed
    found = json.loads(out.read_text())
    assert list(found["models"]) == ["a/test[x].conll", "b/test[x].conll"]
    assert len(list((tmp_path / "p").iterdir())) == 2
    details = found["details"]["a/test[x].conll"]
    assert set(details) == {"PER", "LOC"}
    scores = found["models"]["a/test[x].conll"]["test"]
    counts = [sum(d[key] for d in details.values()) for key in ("correct", "gold")]
    assert 100 * counts[0] / counts[1] == pytest.approx(scores["recall"])
    # A second file that cannot be scored is found before the first one is.
    (tmp_path / "odd.conll").write_text("Marte B-PLANET\n\n")
    begun = ["evaluate", str(folder / "run"), files[0], str(tmp_path / "odd.conll")]
    assert main([*begun, "--predictions", str(tmp_path / "q")]) == 2
    assert not (tmp_path / "q").exists()


def test_a_finished_teacher_is_taken_as_it_is(road, tmp_path, capsys):
    folder = road[0]
    teacher = folder / "run" / "teacher"
    arguments = [
        "distill", *small.files(folder / "data"), "--teacher", str(teacher), "--student", small.STUDENT,
        *small.fit(epochs=2), "--distill.loss", "mse", "--vocab.size", "200", "--out", str(tmp_path / "d"),
        "--cache", str(folder / "cache"), "--threads", "1",
    ]  # fmt: skip
    assert main(arguments) == 0
    # The compression asked this teacher for these examples already.
    said = capsys.readouterr()
    assert ", 0 computed" in said.err
    # Teacher and student were not timed side by side, so nothing is said of their ratio.
    assert "student, distilled" in said.out and "speed" not in said.out
    compressed = [
        "compress", *small.files(folder / "data"), "--teacher", str(teacher), "--student", small.STUDENT,
        *small.fit("student-fit.", 2), "--vocab.size", "200", "--out", str(tmp_path / "c"),
        "--cache", str(folder / "cache"), "--threads", "1",
    ]  # fmt: skip
    assert main(compressed) == 0
    assert "taken as it is" in capsys.readouterr().err
    assert not (tmp_path / "c" / "teacher").exists()
    results = json.loads((tmp_path / "c" / "results.json").read_text())
    first = json.loads((folder / "run" / "results.json").read_text())
    assert results["models"]["teacher"]["test"] == pytest.approx(first["models"]["teacher"]["test"])


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_texts_are_classified(tmp_path, precision, capsys):
    small.register()
    data = small.write(tmp_path / "data", train=80, dev=10, test=10)
    command = small.finetune(data, tmp_path / "run", ending="tsv")
    assert main([*command, "--precision", precision]) == 0
    results = json.loads((tmp_path / "run" / "results.json").read_text())
    assert results["metric"] == "accuracy" and results["models"]["model"]["test"]["accuracy"] > 80
    model = AutoModelForSequenceClassification.from_pretrained(tmp_path / "run" / "model")
    assert model.config.id2label == {0: "deporte", 1: "economía"}
    capsys.readouterr()
    assert main(["predict", str(tmp_path / "run"), "el gol y el árbitro", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["found"]
    assert found[0]["label"] == "deporte"
    assert sum(f["probability"] for f in found) == pytest.approx(1)


def test_dev_and_test_may_be_missing_and_that_is_said(tmp_path, capsys):
    small.register()
    data = small.write(tmp_path / "data", train=80)
    command = [
        "finetune", "--train", str(data / "train.tsv"), "--model", small.STUDENT, *small.fit(epochs=1),
        "--vocab.size", "200", "--out", str(tmp_path / "run"), "--threads", "1",
    ]  # fmt: skip
    assert main(command) == 0
    said = capsys.readouterr().err
    assert "no validation data" in said and "no test data" in said
    results = json.loads((tmp_path / "run" / "results.json").read_text())
    assert results["scored"] == "dev" and "test" not in results["models"]["model"]


def test_a_model_cut_to_fewer_layers_can_be_the_student(tmp_path):
    """As albeto-base-n are: a checkpoint's tied layer applied fewer times."""
    from ligero.models import catalog

    small.register()
    data = small.write(tmp_path / "data")
    albert = catalog.MODELS["albeto-base"]
    shape = {**albert.config, **small.TINY, "embedding_size": 16, "num_hidden_layers": 6}
    catalog.MODELS["small-albert"] = replace(albert, name="small-albert", hub=None, config=shape)
    try:
        assert main(small.finetune(data, tmp_path / "whole", model="small-albert")) == 0
        cut = replace(
            catalog.MODELS["small-albert"], name="small-albert-2", layers=2,
            hub=str(tmp_path / "whole" / "model"),
        )  # fmt: skip
        catalog.MODELS["small-albert-2"] = cut
        assert main(small.finetune(data, tmp_path / "cut", model="small-albert-2")) == 0
    finally:
        catalog.MODELS.pop("small-albert")
        catalog.MODELS.pop("small-albert-2", None)
    loaded = AutoModelForTokenClassification.from_pretrained(tmp_path / "cut" / "model")
    assert loaded.config.num_hidden_layers == 2
    sizes = [
        json.loads((tmp_path / n / "results.json").read_text())["models"]["model"]["parameters"]
        for n in ("whole", "cut")
    ]
    assert sizes[0] == sizes[1], "the layer is tied: fewer of them take as many parameters"


def test_a_model_that_changed_in_its_folder_is_not_mistaken_for_the_old_one(road, tmp_path, capsys):
    import shutil

    from safetensors.torch import load_file, save_file

    start = tmp_path / "start"
    shutil.copytree(road[0] / "run" / "student" / "model", start)
    (start / "manifest.json").unlink()
    commands = [
        small.finetune(road[0] / "data", tmp_path / "run", model=str(start)),
        [
            "compress", *small.files(road[0] / "data"), "--teacher", str(start),
            "--student", small.STUDENT, *small.fit("student-fit.", 1), "--vocab.size", "200",
            "--out", str(tmp_path / "compressed"), "--cache", str(tmp_path / "cache"), "--threads", "1",
        ],
    ]  # fmt: skip
    for command in commands:
        assert main(command) == 0
        assert main(command) == 0
    weights = load_file(start / "model.safetensors")
    weights["head.dense.weight"] += 1e-3
    save_file(weights, start / "model.safetensors", metadata={"format": "pt"})
    for command in commands:
        capsys.readouterr()
        assert main(command) == 2
        assert "a run begun with weights" in capsys.readouterr().err


def test_data_are_known_by_their_content_split_by_split(tmp_path):
    from ligero.config import DataConfig
    from ligero.tasks import source

    data = small.write(tmp_path / "data")

    def digest():
        files = {name: str(data / f"{name}.tsv") for name in ("train", "dev", "test")}
        return source.load(DataConfig(**files)).digest

    first = digest()
    assert digest() == first
    dev, test = ((data / f"{name}.tsv").read_text().splitlines() for name in ("dev", "test"))
    # The same texts in the same order, one of them on the other side of the border.
    (data / "dev.tsv").write_text("\n".join([*dev, test[0]]) + "\n")
    (data / "test.tsv").write_text("\n".join(test[1:]) + "\n")
    assert digest() != first


@pytest.mark.parametrize(
    ("ending", "flags", "metric", "least"),
    [
        ("json", [], "f1", 60),
        ("conllu", [], "las", 80),
        ("conllu", ["--kind", "tag"], "accuracy", 90),
    ],
)
def test_every_kind_walks_the_whole_road(ending, flags, metric, least, tmp_path, capsys):
    """Compressed, evaluated and shown; the official scorer's file holds what was found."""
    small.register()
    data = small.write(tmp_path / "data", train=160, dev=20, test=20)
    command = [
        "compress", *small.files(data, ending), *flags, "--teacher", small.TEACHER,
        "--student", small.STUDENT, "--teacher-fit.epochs", "15", "--teacher-fit.batch-size", "8",
        "--student-fit.epochs", "15", "--student-fit.batch-size", "8",
        "--vocab.size", "200", "--out", str(tmp_path / "run"), "--cache", str(tmp_path / "cache"),
        "--threads", "1",
    ]  # fmt: skip
    assert main(command) == 0
    results = json.loads((tmp_path / "run" / "results.json").read_text())
    assert results["metric"] == metric
    for name, row in results["models"].items():
        assert row["test"][metric] > least, (name, row["test"])
        low, high = row["interval"][metric]
        assert low <= row["test"][metric] <= high
    gain = results["gain"]
    scores = [results["models"][name]["test"][metric] for name in ("student-alone", "student")]
    assert gain["difference"] == pytest.approx(scores[1] - scores[0], abs=1e-6)
    capsys.readouterr()
    test = data / f"test.{ending}"
    evaluated = [
        "evaluate", str(tmp_path / "run"), str(test), "--paper", "--json",
        "--predictions", str(tmp_path / "predicted"),
    ]  # fmt: skip
    assert main(evaluated) == 0
    found = json.loads(capsys.readouterr().out)
    student = found["models"][test.name]["test"]
    assert student == pytest.approx(results["models"]["student"]["test"], rel=1e-5)
    assert set(found["conventions"]["paper"]) <= set(student)
    (predicted,) = (tmp_path / "predicted").iterdir()
    if ending == "json":
        assert len(json.loads(predicted.read_text())) == 20
    else:
        from ligero.tasks import formats

        again = formats.read(predicted, kind=results["kind"])
        gold = formats.read(test, kind=results["kind"])
        name = "tag" if flags else "head"
        pairs = [
            (a, b)
            for mine, right in zip(again.examples, gold.examples, strict=True)
            for a, b in zip(mine.gold[name], right.gold[name], strict=True)
        ]
        score = 100 * sum(a == b for a, b in pairs) / len(pairs)
        assert score == pytest.approx(student["accuracy" if flags else "uas"])
    text = ["¿Dónde vive?", "--context", "Desde mayo Lucía vive en Perú."]
    asked = text if ending == "json" else ["la niña come una sopa"]
    assert main(["predict", str(tmp_path / "run"), *asked]) == 0
    shown = capsys.readouterr().out
    assert ("Perú" if ending == "json" else "niña") in shown and "probability" in shown


@pytest.fixture
def own_ner(monkeypatch, tmp_path):
    """A data folder with NER CoNLL-2002 in small, and another task whose test file is missing."""
    small.register()
    data = small.write(tmp_path / "data", train=30)
    entry = tasks.find("ner-conll2002")
    files = {"dev": ("dev.conll",), "test": ("none.conll",)}
    other = replace(entry, name="own-ner", folder="own", files=files, counts={}, checksums={})
    monkeypatch.setitem(tasks.TASKS, "own-ner", other)
    for folder, name, file in (
        ("ner-conll2002", "train", "esp.train"), ("ner-conll2002", "dev", "esp.testa"),
        ("ner-conll2002", "test", "esp.testb"), ("own", "dev", "dev.conll"),
    ):  # fmt: skip
        (data / folder).mkdir(exist_ok=True)
        (data / folder / file).write_bytes((data / f"{name}.conll").read_bytes())
    return data


def suite(recipe, data, out):
    return [
        "suite", str(recipe), "--data", str(data), "--out", str(out), "--threads", "1",
        "--cache", str(out.parent / "cache"), "--teacher-fit.batch-size", "8",
    ]  # fmt: skip


def test_a_suite_takes_the_tasks_that_are_at_hand_and_says_what_it_skips(own_ner, tmp_path, capsys):
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(
        f'''
        teacher = "{small.TEACHER}"
        student = "{small.STUDENT}"
        vocab.size = 300
        teacher_fit.epochs = 1
        student_fit.epochs = 1
        [tasks.mldoc]
        [tasks.ner-conll2002]
        also = ["own-ner:dev", "own-ner:test"]
        student_fit.epochs = 2
        '''
    )
    command = suite(recipe, own_ner, tmp_path / "out")
    assert main(command) == 0
    said = capsys.readouterr()
    assert "skipped" in said.err and "NER CoNLL-2002" in said.out
    found = json.loads((tmp_path / "out" / "results.json").read_text())
    assert [row["task"] for row in found["rows"]] == [
        "ner-conll2002",
        "ner-conll2002 on own-ner:dev",
    ]
    assert list(found["skipped"]) == ["mldoc", "own-ner:test"]
    own, elsewhere = found["rows"]
    assert elsewhere["scored"] == "dev"
    for name in ("teacher", "student-alone", "student"):
        mine = own["models"][name]["dev"]["f1"]
        assert elsewhere["models"][name]["dev"]["f1"] == pytest.approx(mine)
    steps = [own["models"][name]["steps"] for name in ("teacher", "student")]
    assert steps == [4, 4], "30 examples: an epoch in batches of 8, two in batches of 16"
    page = (tmp_path / "out" / "README.md").read_text()
    assert "skipped" in page and "±" in page
    # Nothing of this machine's folders, and a task counts once in the mean.
    assert str(tmp_path) not in page and str(tmp_path) not in json.dumps(found)
    mean = report.mean(found, "student", "speedy")
    assert mean == pytest.approx(own["models"]["student"]["test"]["f1"])
    # Again: nothing is trained or scored, the same table.
    assert main(command) == 0
    assert json.loads((tmp_path / "out" / "results.json").read_text()) == found


def test_a_suite_that_cannot_run_says_so_before_it_begins(own_ner, tmp_path, capsys):
    recipe = tmp_path / "recipe.toml"
    recipe.write_text("[tasks.mldoc]\n")
    command = suite(recipe, own_ner, tmp_path / "out")
    assert main(command) == 2
    assert "found none of the 1 tasks" in capsys.readouterr().err.splitlines()[-1]
    recipe.write_text("[tasks.ner-conll2002]\n")
    train = own_ner / "ner-conll2002" / "esp.train"
    train.write_text(train.read_text() + "roto\n")
    assert main(command) == 2
    assert "esp.train:" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("seed = 1", "no tasks"),
        ("[tasks.nre-conll2002]", "ner-conll2002"),
        ("[tasks.mldoc]\nepohcs = 2", "epohcs"),
        ('[tasks.mldoc]\nalso = ["mlqa"]', "mlqa:dev"),
        ('[tasks.mldoc]\nalso = ["mlqa:dev"]', "a task of kind classify"),
        ('[tasks.mlqa]\nalso = ["mlqa:dev"]', "another task"),
        ("[tasks.mldoc]\nalso = 3", "also = 3"),
        ("[tasks]\nmldoc = 1", "mldoc = 1"),
    ],
)
def test_a_recipe_with_a_mistake_trains_nothing(content, said, tmp_path, capsys):
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(content)
    assert main(["suite", str(recipe), "--out", str(tmp_path / "out")]) == 2
    line = capsys.readouterr().err
    assert said in line and len(line.splitlines()) == 1
    assert not (tmp_path / "out").exists()

"""What can be measured, and `ligero bench`."""

import dataclasses
import json
import sys
import types

import numpy as np
import pytest
from transformers import AutoModel
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

from ligero import cli
from ligero.measure import bench, candidates, memory
from ligero.models import build, catalog
from ligero.runtime.card import Card
from shapes import small

pytestmark = pytest.mark.usefixtures("one_thread")
SMALL = ("beto-cased", "albeto-tiny", "bertin", "ligero-nano")


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    """The catalog's models at a size that a test can afford."""
    monkeypatch.setattr(catalog, "MODELS", {n: small(n) for n in SMALL})


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A checkpoint of RoBERTa as plain transformers saves it."""
    place = tmp_path_factory.mktemp("checkpoint") / "model"
    config = CONFIG_MAPPING["roberta"](
        vocab_size=60, pad_token_id=1, **build.thaw(small("bertin").config)
    )
    AutoModel.from_config(config).save_pretrained(place)
    return place


class Engine:
    """An exported model that only remembers what it was given."""

    inputs, precision, entries, buckets = ("input_ids", "attention_mask"), "int8", 60, (16, 32)

    def __init__(self):
        self.given = []

    def run(self, inputs):
        self.given.append({key: value.copy() for key, value in inputs.items()})
        return {"output": np.zeros((1, 2), np.float32)}


@pytest.fixture
def exported(tmp_path, monkeypatch):
    """A folder that says it is an exported model, and the engine that is opened for it."""
    place, engine, opened = tmp_path / "exported", Engine(), []
    place.mkdir()
    (place / "graph.onnx").write_bytes(bytes(1000))
    config = build.thaw(small("albeto-tiny").config) | {"vocab_size": 60}
    card = Card(
        name="x", kind="tag", labels=("O",), window=64, pad_id=3, entries=60,
        inputs=Engine.inputs, format="onnx", precision="int8", graph="graph.onnx", buckets=(16, 32),
        task=None, model={"family": "albert", "config": config, "parameters": 1}, score=None,
    )  # fmt: skip
    card.write(place)

    def open_engine(folder, *, threads, card):
        opened.append((folder, threads))
        return engine

    fake = types.SimpleNamespace(open_engine=open_engine, PACKAGES={"onnx": "json"})
    monkeypatch.setattr(Card, "read", classmethod(lambda cls, folder: card))
    monkeypatch.setitem(sys.modules, "ligero.runtime.engine", fake)
    monkeypatch.setattr("ligero.runtime.engine", fake, raising=False)
    return place, engine, opened


def error(capsys, *arguments):
    assert cli.main(["bench", *arguments]) == 2
    out, err = capsys.readouterr()
    assert not out
    assert err.count("\n") == 1
    return err


def test_a_name_runs_in_each_way_with_random_weights():
    found = candidates.find("albeto-tiny", candidates.ATTENTIONS)
    assert [c.label for c in found] == ["albeto-tiny, eager fp32", "albeto-tiny, sdpa fp32"]
    assert found[0].bytes == 4 * bench.cost_of(found[0], 8)["parameters"]
    for candidate in found:
        candidate.open(1, "cpu")(8, 2)()


def test_a_folder_runs_as_transformers_saved_it(folder):
    (found,) = candidates.find(str(folder), ("eager",), fetch=True)
    assert found.longest == 512
    assert found.bytes == (folder / "model.safetensors").stat().st_size
    call = found.open(1, "cpu")
    call(512, 1)()
    # One more has no position: the limit above is the model's own.
    with pytest.raises((IndexError, RuntimeError)):
        call(513, 1)()


def test_an_exported_folder_is_padded_as_in_use(exported):
    place, engine, opened = exported
    (found,) = candidates.find(str(place))
    assert (found.how, found.longest, found.shape.family) == ("onnx int8", 64, "albert")
    assert found.bytes == sum(file.stat().st_size for file in place.iterdir())
    found.open(2, "cpu")(20, 3)()
    assert opened == [(place, 2)]
    (given,) = engine.given
    assert set(given) == set(Engine.inputs)
    assert given["input_ids"].shape == (3, 32)
    assert (given["input_ids"][:, 20:] == 3).all()
    assert (given["input_ids"][:, :20] >= 5).all()
    assert given["attention_mask"].sum(axis=1).tolist() == [20, 20, 20]


def test_bench_measures_everything_beside_beto(exported, folder, tmp_path, capsys):
    out = tmp_path / "there" / "bench.json"
    arguments = ["bench", "ligero-nano", str(folder), str(exported[0]), "--lengths", "8,12"]
    arguments += ["--rounds", "3", "--threads", "1", "--out", str(out)]
    assert cli.main(arguments) == 0
    told = capsys.readouterr().out
    found = json.loads(out.read_text())
    labels = ["beto-cased, eager fp32", "ligero-nano, sdpa fp32", f"{folder}, sdpa fp32",
              f"{exported[0]}, onnx int8"]  # fmt: skip
    assert [m["label"] for m in found["models"]] == labels
    assert found["reference"] == labels[0]
    assert found["machine"]["threads"] == 1
    assert len(found["machine"]["load"]) == 2
    for length in ("8", "12"):
        assert list(found["latency"][length]) == labels
        for took in found["latency"][length].values():
            assert 0 < took["p50_ms"] <= took["p95_ms"] <= took["p99_ms"]
            assert took["papers"]["measures"] == len(took["seconds"]) == 3
    assert found["latency"]["8"][labels[0]]["speedup"] == {"value": 1, "low": 1, "high": 1}
    assert "one text of 12 sub-words" in told
    assert "papers" in told


def test_cost_alone_runs_nothing(monkeypatch, capsys):
    monkeypatch.setattr(bench, "_timed", None)
    assert cli.main(["bench", "albeto-tiny", "--cost", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["length"] == 512
    assert [m["name"] for m in found["models"]] == ["beto-cased", "albeto-tiny"]
    assert found["models"][1]["parameters"] < found["models"][1]["effective"]


def test_the_reference_is_measured_once():
    found = bench.costs(["beto-cased"], bench.Settings(attentions=("eager", "sdpa")))
    assert [m["how"] for m in found["models"]] == ["eager fp32", "sdpa fp32"]


def test_memory_tells_libraries_from_the_model():
    steps = iter([100, 130, 180])
    (found,) = candidates.find("ligero-nano", ("eager",))
    asked = {"length": 8, "batch": 1, "threads": 1, "device": "cpu"}
    taken = memory.added(found, **asked, resident=lambda: next(steps))
    assert taken == {"libraries": 30, "model": 50}


def test_memory_is_read_while_the_model_is_there():
    def opened(threads, device):
        # Far more than other tests in this process may leave to be freed meanwhile.
        weights = np.ones(400_000_000, np.uint8)
        return lambda length, batch: weights.any

    (found,) = candidates.find("ligero-nano", ("eager",))
    held = dataclasses.replace(found, libraries=dict, open=opened)
    asked = {"length": 8, "batch": 1, "threads": 1, "device": "cpu"}
    taken = memory.added(held, **asked, resident=memory.resident)
    assert 300_000_000 < taken["model"] < 500_000_000


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["albeto-tinny"], "did you mean albeto-tiny"),
        (["albeto-tiny", "--lengths", "513"], "at most its 512 sub-words"),
        (["albeto-tiny", "--lengths", "0,8"], "--lengths 0,8"),
        (["albeto-tiny", "--lengths", "long"], "--lengths long"),
        (["albeto-tiny", "--batch", "0"], "--batch 0"),
        (["albeto-tiny", "--batch", "x"], "--batch"),
        (["albeto-tiny", "--threads", "0"], "--threads 0"),
        (["albeto-tiny", "--rounds", "-1"], "--rounds -1"),
        (["albeto-tiny", "--attention", "flash"], "expected eager or sdpa"),
        (["albeto-tiny", "--device", "tpu"], "expected cpu or cuda"),
        ([], "MODEL"),
    ],
)
@pytest.mark.parametrize("cost", [True, False])
def test_what_cannot_be_measured(arguments, told, cost, capsys):
    assert told in error(capsys, *arguments, *(["--cost"] if cost else []))


@pytest.mark.parametrize(
    "files", [{}, {"config.json": "{}"}, {"config.json": '{"model_type": "gpt2"}'}]
)
@pytest.mark.parametrize("cost", [True, False])
def test_a_folder_that_is_no_model(files, cost, tmp_path, capsys):
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    assert str(tmp_path) in error(capsys, str(tmp_path), *(["--cost"] if cost else []))


def test_an_export_without_its_manifest_is_damaged(tmp_path, capsys):
    (tmp_path / "export.json").write_text("{}")
    assert cli.main(["bench", "--cost", str(tmp_path)]) == 1
    assert "export it again" in capsys.readouterr().err

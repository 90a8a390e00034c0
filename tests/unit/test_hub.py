"""Locating checkpoints: local folders, a hub on this machine, and everything that can be wrong."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from huggingface_hub import constants
from safetensors.numpy import save as to_safetensors

sys.path.insert(0, str(Path(__file__).parents[1]))
from hub_server import HubServer, Repository, point_to
from ligero.errors import InputError, LigeroError
from ligero.models import hub

NOWHERE = "http://127.0.0.1:9"
WEIGHTS = to_safetensors({"a": np.arange(6, dtype=np.float32)})
CONFIG = json.dumps({"model_type": "bert"}).encode()
GOOD = {
    "config.json": CONFIG,
    "model.safetensors": WEIGHTS,
    "tokenizer.json": b"{}",
    "pytorch_model.bin": b"a pickle",
    "modeling.py": b"raise SystemExit",
    "old/model.safetensors": WEIGHTS,
    "old/config.json": CONFIG,
}


@pytest.fixture
def served(tmp_path, monkeypatch):
    repositories = {
        "ana/buena": Repository(GOOD, revisions=("main", "v1", "refs/pr/1")),
        "ana/pickle": Repository({"config.json": CONFIG, "pytorch_model.bin": b"a pickle"}),
        "ana/sin-config": Repository({"model.safetensors": WEIGHTS}),
        "ana/vacia": Repository({"config.json": CONFIG}),
        "ana/cerrada": Repository(GOOD, gated=True),
        "ana/cortada": Repository(GOOD | {"model.safetensors": WEIGHTS[:-3]}),
    }
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    with HubServer(repositories) as server:
        point_to(monkeypatch, server.url)
        yield server


def write(folder: Path, **files: bytes) -> Path:
    folder.mkdir(exist_ok=True)
    for name, body in files.items():
        (folder / name).write_bytes(body)
    return folder


def refused(reference: object, error: type[LigeroError] = InputError) -> str:
    with pytest.raises(error) as caught:
        hub.locate(reference)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_only_configuration_vocabulary_and_safetensors_are_fetched(served):
    folder = hub.locate("ana/buena")
    assert sorted(path.name for path in folder.iterdir()) == [
        "config.json",
        "model.safetensors",
        "tokenizer.json",
    ]
    assert sorted(served.fetched) == ["config.json", "model.safetensors", "tokenizer.json"]
    assert (folder / "model.safetensors").read_bytes() == WEIGHTS
    assert folder.name == served.repositories["ana/buena"].commit


def test_a_second_time_nothing_is_fetched_and_without_network_the_cache_serves(served, monkeypatch):
    folder = hub.locate("ana/buena")
    served.fetched.clear()
    assert hub.locate("ana/buena") == folder
    assert served.fetched == []
    point_to(monkeypatch, NOWHERE)
    assert hub.locate("ana/buena") == folder
    message = refused("ana/pickle", LigeroError)
    assert "cannot be reached" in message


def test_revisions(served):
    commit = served.repositories["ana/buena"].commit
    for revision in ("v1", "refs/pr/1", commit):
        assert hub.locate(f"ana/buena@{revision}").name == commit
    assert "no revision 'v9'" in refused("ana/buena@v9")


def test_a_repository_with_only_pickles_is_refused_unfetched(served):
    message = refused("ana/pickle")
    assert "pytorch_model.bin" in message and "refused unopened" in message
    assert "refs/pr/1" in message
    assert served.fetched == []


def test_a_download_that_breaks_off_is_one_line_and_continues(served, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    served.repositories["ana/buena"].breaks_after = 10
    assert "broke off" in refused("ana/buena", LigeroError)
    served.repositories["ana/buena"].breaks_after = None
    assert (hub.locate("ana/buena") / "model.safetensors").read_bytes() == WEIGHTS


@pytest.mark.parametrize(
    ("reference", "says"),
    [
        ("ana/nadie", "no public repository"),
        ("ana/sin-config", "no config.json"),
        ("ana/vacia", "no model.safetensors"),
        ("ana/cerrada", "accept this model's conditions"),
        ("ana/cortada", "not whole safetensors"),
        ("ana", "no folder"),
        ("./ana/nadie", "no folder"),
        ("ana/buena/otra", "no folder"),
        ("ana/-buena-..", "no valid hub name"),
    ],
)
def test_what_cannot_be_used_is_one_line(served, reference, says):
    assert says in refused(reference)


def test_a_local_folder_wins_and_touches_no_network(tmp_path, monkeypatch):
    point_to(monkeypatch, NOWHERE)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ana").mkdir()
    folder = write(tmp_path / "ana" / "buena", **{"config.json": CONFIG, hub.WEIGHTS: WEIGHTS})
    assert hub.locate("ana/buena") == folder.resolve()
    assert hub.locate(folder) == folder.resolve()


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({}, "no config.json"),
        ({"config.json": b"{"}, "no valid JSON"),
        ({"config.json": b"\xff\xfe"}, "no valid JSON"),
        ({"config.json": b"[]"}, "a JSON list"),
        ({"config.json": CONFIG}, "no model.safetensors"),
        ({"config.json": CONFIG, "pytorch_model.bin": b"x"}, "pytorch_model.bin"),
        ({"config.json": CONFIG, "model.pt": b"x"}, "model.pt"),
        ({"config.json": CONFIG, "a.ckpt": b"x", "b.pkl": b"x"}, "a.ckpt"),
        ({"config.json": CONFIG, hub.WEIGHTS: b""}, "0 bytes"),
        ({"config.json": CONFIG, hub.WEIGHTS: WEIGHTS[:-1]}, "not whole safetensors"),
        ({"config.json": CONFIG, hub.WEIGHTS: b"\x80\x04" * 99}, "not whole safetensors"),
        ({"config.json": CONFIG, hub.WEIGHTS: to_safetensors({})}, "no weights inside"),
        ({"config.json": CONFIG, hub.INDEX: b"{}"}, "no weight_map"),
        (
            {"config.json": CONFIG, hub.INDEX: b'{"weight_map": {"a": "m-1.safetensors"}}'},
            "1 shards missing",
        ),
        (
            {"config.json": CONFIG, hub.INDEX: b'{"weight_map": {"a": "../m.safetensors"}}'},
            "../m.safetensors",
        ),
        ({"config.json": CONFIG, hub.INDEX: b'{"weight_map": {"a": "m.bin"}}'}, "m.bin"),
    ],
)
def test_folders_that_are_no_checkpoint(tmp_path, files, says):
    assert says in refused(write(tmp_path / "m", **files))


def test_shards_are_accepted_and_a_file_is_not(tmp_path):
    index = b'{"weight_map": {"a": "m-1.safetensors"}}'
    folder = write(
        tmp_path / "m", **{"config.json": CONFIG, hub.INDEX: index, "m-1.safetensors": WEIGHTS}
    )
    assert hub.locate(folder) == folder.resolve()
    assert "found a file" in refused(folder / "config.json")


def test_the_hub_is_found_without_torch():
    code = "import sys, ligero.models.hub; print('torch' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "False"

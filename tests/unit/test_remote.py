"""Files of labelled data from a hub on this machine, and everything that can be wrong with that."""

import hashlib
import sys
from importlib import util
from pathlib import Path

import pytest
from huggingface_hub import constants

sys.path.insert(0, str(Path(__file__).parents[1]))
from hub_server import HubServer, Repository, point_to
from ligero.errors import DamagedError, InputError, LigeroError
from ligero.tasks import formats, remote

NOWHERE = "http://127.0.0.1:9"
ROWS = "deporte\tGanó el Betis.\npolítica\tHabló la ministra.\n".encode()
FILES = {"data/es/train.tsv": ROWS, "data/es/test.tsv": ROWS[:25], "README.md": b"#"}
UNKNOWN_COMMIT = "0" * 40


@pytest.fixture
def served(tmp_path, monkeypatch):
    repositories = {
        "datasets/ana/datos": Repository(FILES, revisions=("main", "v1")),
        "datasets/ana/cerrados": Repository(FILES, gated=True),
        "ana/modelo": Repository(FILES),
    }
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    with HubServer(repositories) as server:
        point_to(monkeypatch, server.url)
        yield server


def commit(server: HubServer, name: str = "datos") -> str:
    return server.repositories[f"datasets/ana/{name}"].commit


def address(server: HubServer, path: str = "data/es/train.tsv", name: str = "datos") -> str:
    return f"hf://datasets/ana/{name}@{commit(server, name)}/{path}"


def refused(given: str, error: type[LigeroError] = InputError, sha256: str | None = None) -> str:
    with pytest.raises(error) as caught:
        remote.fetch(given, sha256)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_what_is_an_address():
    assert remote.is_remote("hf://datasets/ana/datos@main/a.tsv")
    assert not remote.is_remote("datos/a.tsv")
    assert not remote.is_remote("/datos/hf:/a.tsv")


def test_a_file_is_fetched_to_the_byte_and_can_be_read_as_data(served):
    path = remote.fetch(address(served))
    assert path.read_bytes() == ROWS
    assert served.fetched == ["data/es/train.tsv"]
    split = formats.read(path)
    assert [e.gold["label"] for e in split.examples] == [("deporte",), ("política",)]


def test_a_second_time_nothing_is_fetched_and_no_network_is_needed(served, monkeypatch):
    path = remote.fetch(address(served))
    served.fetched.clear()
    point_to(monkeypatch, NOWHERE)
    assert remote.fetch(address(served)) == path
    assert served.fetched == []
    assert "cannot be reached" in refused(address(served, "data/es/test.tsv"), LigeroError)


def test_bytes_are_checked_and_other_ones_are_not_used(served):
    right = hashlib.sha256(ROWS).hexdigest()
    path = remote.fetch(address(served), right)
    message = refused(address(served), DamagedError, "f" * 64)
    assert right in message and "f" * 64 in message and str(path) in message
    path.unlink()
    path.write_bytes(ROWS + b"x")
    assert "not used" in refused(address(served), DamagedError, right)


@pytest.mark.parametrize("revision", ["@main", "@v1", "@0123abc", ""])
def test_only_a_commit_will_do_and_the_error_tells_it(served, revision):
    message = refused(f"hf://datasets/ana/datos{revision}/data/es/train.tsv")
    if revision == "@0123abc":
        assert "no revision '0123abc' of ana/datos" in message
    else:
        assert address(served) in message
    assert served.fetched == []


def test_without_a_hub_the_commit_cannot_be_told(served, monkeypatch):
    point_to(monkeypatch, NOWHERE)
    message = refused("hf://datasets/ana/datos@main/data/es/train.tsv")
    assert "'main'" in message and "cannot be reached" in message


def test_a_path_that_is_not_there_brings_the_nearest_that_is(served):
    message = refused(address(served, "data/es/trian.tsv"))
    assert "unknown file of ana/datos" in message and "did you mean data/es/train.tsv" in message


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("hf://ana/datos@main/a.tsv", "hf://datasets/owner/name@commit"),
        ("hf://datasets/datos/a.tsv", "hf://datasets/owner/name@commit"),
        ("hf://datasets/ana/datos@main/", "hf://datasets/owner/name@commit"),
        ("hf://datasets/ana/datos@main/../../a.tsv", "hf://datasets/owner/name@commit"),
        ("hf://datasets/ana/nadie@main/a.tsv", "no public repository"),
        (f"hf://datasets/ana/nadie@{UNKNOWN_COMMIT}/a.tsv", "no public repository"),
        ("hf://datasets/ana/modelo@main/README.md", "no public repository"),
        (f"hf://datasets/ana/datos@{UNKNOWN_COMMIT}/a.tsv", "no revision"),
        ("hf://datasets/ana/-x-..@main/a.tsv", "no valid hub name"),
    ],
)
def test_what_cannot_be_fetched_is_one_line(served, given, says):
    assert says in refused(given)


def test_a_closed_repository_says_what_to_do(served):
    message = refused(address(served, name="cerrados"))
    assert "accept this dataset's conditions" in message
    assert "https://huggingface.co/datasets/ana/cerrados" in message


def test_a_download_that_breaks_off_is_one_line_and_continues(served, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    served.repositories["datasets/ana/datos"].breaks_after = 10
    assert "broke off" in refused(address(served), LigeroError)
    served.repositories["datasets/ana/datos"].breaks_after = None
    assert remote.fetch(address(served)).read_bytes() == ROWS


def test_without_the_hub_library_one_is_told_how_to_get_it(monkeypatch):
    monkeypatch.setattr(remote, "find_spec", lambda name: None)
    assert util.find_spec("huggingface_hub") is not None
    message = refused(f"hf://datasets/ana/datos@{UNKNOWN_COMMIT}/a.tsv", LigeroError)
    assert "pip install 'ligero[train]'" in message

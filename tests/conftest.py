"""What several tests share: data, a process that starts runs at once, a road gone undisturbed."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

import served
import small
from forks import Forks


@dataclass(frozen=True)
class Road:
    """A finished `ligero compress`: its run folder, its cache, and how long it took."""

    place: Path
    seconds: float

    @property
    def out(self) -> Path:
        return self.place / "out"

    @property
    def cache(self) -> Path:
        return self.place / "cache"


@pytest.fixture(scope="module")
def one_thread():
    """torch with one thread: small models spend their time in waiting for the second one."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder with the real data sets; the test is skipped where they are not at hand."""
    folder = os.environ.get("LIGERO_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("real data are not at hand: LIGERO_DATA names no folder")
    return Path(folder)


@pytest.fixture(scope="session")
def data(tmp_path_factory) -> Path:
    """A folder with made-up train, dev and test files, CoNLL and TSV."""
    return small.write(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="session")
def forks():
    """Starts runs at once, each in a process of its own."""
    with Forks() as server:
        yield server


@pytest.fixture(scope="session")
def calm(forks, data, tmp_path_factory) -> Road:
    """The whole road, undisturbed. Not to be changed: copy it."""
    place = tmp_path_factory.mktemp("calm")
    log = place / "log"
    started = time.monotonic()
    code = forks.run(small.compress(data, place / "out", place / "cache"), log)
    assert code == 0, log.read_text()
    return Road(place, time.monotonic() - started)


@pytest.fixture
def known():
    """The small models, known in this process too."""
    with small.known():
        yield


@pytest.fixture(scope="session")
def exports(tmp_path_factory) -> dict[str, Path]:
    """kind -> a small exported model of random weights. Not to be changed: copy it."""
    return served.export(tmp_path_factory.mktemp("exports"))

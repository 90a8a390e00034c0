"""Several processes and one cache of teacher outputs: nobody fails because another was faster."""

import errno
import shutil
from pathlib import Path

import numpy as np
import pytest

from ligero import runs
from ligero.train import teacher
from ligero.train.teacher import TeacherCache

NAMES = ["a", "b"]


def entries(value=1.0):
    return [{"tag": np.full((2, 3), value, dtype=np.float32)} for _ in NAMES]


def first(found):
    return float(found[0]["tag"][0, 0])


@pytest.fixture
def notes():
    return []


@pytest.fixture
def cache(tmp_path, notes):
    made = TeacherCache(tmp_path, "key", notes.append)
    made.path.mkdir()
    return made


@pytest.fixture
def other(tmp_path):
    """What another process has made: a whole shard, and a damaged one."""
    made = TeacherCache(tmp_path / "other", "key", print)
    for number in (0, 1):
        made._write(number, NAMES, entries(2.0))
    (made._shard(1) / "scores.safetensors").write_bytes(b"?")
    return made


def slower_than(other, number, monkeypatch):
    """The next shard is renamed to its name when the other's stands there already."""
    rename = Path.rename

    def late(path, target):
        if not target.exists():
            shutil.copytree(other._shard(number), target)
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", late)


def test_what_another_process_was_faster_to_publish_is_done(cache, other, notes, monkeypatch):
    slower_than(other, 0, monkeypatch)
    cache._write(0, NAMES, entries())
    assert first(cache._read(0, NAMES)) == 2.0 and not notes
    assert [path.name for path in cache.path.iterdir()] == ["shard-00000"]


def test_what_it_published_must_be_whole(cache, other, notes, monkeypatch):
    slower_than(other, 1, monkeypatch)
    with pytest.raises(OSError, match="not empty"):
        cache._write(0, NAMES, entries())
    assert "damaged" in notes[0]


def test_another_error_is_one(cache, monkeypatch):
    def full(*given):
        raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr(teacher, "save_file", full)
    with pytest.raises(OSError, match="no space left"):
        cache._write(0, NAMES, entries())
    assert not any(cache.path.iterdir())


@pytest.mark.parametrize("step", ["verify", "load_file"])
def test_a_shard_that_vanishes_as_it_is_read_is_missing(cache, notes, monkeypatch, step):
    cache._write(0, NAMES, entries())
    whole = getattr(teacher, step)

    def gone(path):
        shutil.rmtree(cache._shard(0))
        return whole(path)

    monkeypatch.setattr(teacher, step, gone)
    assert cache._read(0, NAMES) is None and not notes


def test_a_damaged_shard_makes_room_for_a_new_one(cache, notes):
    cache._write(0, NAMES, entries())
    (cache._shard(0) / "scores.safetensors").write_bytes(b"?")
    assert cache._read(0, NAMES) is None and len(notes) == 1
    cache._write(0, NAMES, entries(3.0))
    assert first(cache._read(0, NAMES)) == 3.0 and len(notes) == 1
    # Other examples than the name promises are none.
    assert cache._read(0, ["c", "d"]) is None and "other examples" in notes[1]


def test_a_whole_folder_stays_where_it_is_not_to_be_replaced(tmp_path):
    for value in ("one", "two"):
        try:
            with runs.publish(tmp_path / "a", replace=False) as place:
                (place / "x").write_text(value)
        except OSError:
            assert value == "two"
    assert (tmp_path / "a" / "x").read_text() == "one"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_two_may_sweep_at_once(tmp_path, monkeypatch):
    import socket

    left = [f".{n}~{socket.gethostname()}~{2**22 + 1}.tmp" for n in "ab"]
    (tmp_path / left[0]).mkdir()
    (tmp_path / left[1]).write_text("x")
    is_dir = Path.is_dir

    def taken(path):
        """Another process removes it right after it was looked at."""
        found = is_dir(path)
        if path.name in left:
            path.rmdir() if found else path.unlink()
        return found

    monkeypatch.setattr(Path, "is_dir", taken)
    runs.sweep(tmp_path)
    assert not any(tmp_path.iterdir())

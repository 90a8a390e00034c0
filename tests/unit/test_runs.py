"""Folders appear whole or not at all, and vouch for what they hold."""

import json
from pathlib import Path

import pytest

from ligero import runs
from ligero.errors import DamagedError, InputError


def test_a_folder_appears_whole_or_not_at_all(tmp_path):
    with pytest.raises(ZeroDivisionError), runs.publish(tmp_path / "a") as place:
        (place / "x").write_text("half")
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []
    with runs.publish(tmp_path / "a", made_from="b") as place:
        (place / "x").write_text("one")
        assert not (tmp_path / "a").exists()
    assert runs.verify(tmp_path / "a")["made_from"] == "b"


def test_publishing_again_replaces_all_of_it(tmp_path):
    for name in ("x", "y"):
        with runs.publish(tmp_path / "a") as place:
            (place / name).write_text(name)
    assert sorted(p.name for p in (tmp_path / "a").iterdir()) == [runs.MANIFEST, "y"]
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_the_folder_one_stands_in_is_filled_and_stays_itself(tmp_path, monkeypatch):
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    with pytest.raises(ZeroDivisionError), runs.publish(Path()) as place:
        (place / "x").write_text("half")
        raise ZeroDivisionError
    assert list(here.iterdir()) == []
    with runs.publish(Path(), made_from="b") as place:
        (place / "inner").mkdir()
        (place / "inner" / "x").write_text("one")
    # By relative names: whoever stood here sees what came.
    assert runs.verify(Path())["made_from"] == "b"
    assert Path("inner/x").read_text() == "one"
    assert list(tmp_path.iterdir()) == [here]


@pytest.mark.parametrize("name", [".", "..", "../../here", "HERE"])
def test_a_folder_with_something_in_it_is_not_replaced_while_one_stands_in_it(
    tmp_path, monkeypatch, name
):
    below = tmp_path / "here" / "below"
    below.mkdir(parents=True)
    (below / "mine").write_text("keep")
    monkeypatch.chdir(below)
    folder = Path(name.replace("HERE", str(tmp_path / "here")))
    with pytest.raises(InputError, match="the folder that you are in"), runs.publish(folder):
        pass
    assert Path("mine").read_text() == "keep" and list(tmp_path.iterdir()) == [tmp_path / "here"]


def test_a_folder_is_published_from_one_that_is_deleted(tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with runs.publish(tmp_path / "a") as place:
        (place / "x").write_text("one")
    assert (tmp_path / "a" / "x").read_text() == "one"


def test_a_link_stays_and_what_it_points_to_is_replaced(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "a")
    for name in ("x", "y"):
        with runs.publish(tmp_path / "link") as place:
            (place / name).write_text(name)
    assert (tmp_path / "link").is_symlink()
    assert sorted(p.name for p in (tmp_path / "a").iterdir()) == [runs.MANIFEST, "y"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "link"]


@pytest.mark.parametrize("content", [b"onE", b"on", b""])
def test_damage_is_noticed_and_named(tmp_path, content):
    with runs.publish(tmp_path / "a") as place:
        (place / "x").write_bytes(b"one")
    (tmp_path / "a" / "x").write_bytes(content)
    with pytest.raises(DamagedError, match=r"a/x: "):
        runs.verify(tmp_path / "a")


def test_files_may_be_read_by_whom_the_umask_lets(tmp_path):
    with runs.publish(tmp_path / "a") as place:
        (place / "x").write_text("one")
        (place / "x").chmod(0o600)
    plain = tmp_path / "plain"
    plain.touch()
    assert (tmp_path / "a" / "x").stat().st_mode == plain.stat().st_mode


def test_another_programs_manifest_is_none_of_ours(tmp_path):
    assert not runs.is_published(tmp_path)
    file = tmp_path / runs.MANIFEST
    file.write_text(json.dumps({"manifest_version": 3}))
    assert not runs.is_published(tmp_path)
    file.write_text(json.dumps({"ligero": "0.1.0", "files": {}}))
    assert runs.is_published(tmp_path)
    file.write_text('{"ligero": "0.1')
    assert runs.is_published(tmp_path), "ours, and damaged: to be said, not overlooked"


def test_what_killed_processes_left_is_swept_and_nothing_else(tmp_path):
    import os
    import socket

    gone = 2**22 + 1  # beyond the largest process number
    mine, foreign = socket.gethostname(), "elsewhere"
    names = {
        f".a~{mine}~{gone}.tmp": False,
        f".b~{mine}~{os.getppid()}.tmp": True,
        f".c~{foreign}~{gone}.tmp": True,
        ".d.tmp": True,
        "e.tmp": True,
    }
    for name in names:
        (tmp_path / name).write_text("x")
    runs.sweep(tmp_path)
    assert {name: (tmp_path / name).exists() for name in names} == names


def test_the_log_forgets_what_no_checkpoint_knows(tmp_path):
    log = runs.Log(tmp_path / runs.LOG, keep=0)
    log.write(step=1)
    kept = log.size
    log.write(step=2)
    log.close()
    log = runs.Log(tmp_path / runs.LOG, keep=kept)
    log.write(step=2, again=True)
    log.close()
    lines = (tmp_path / runs.LOG).read_text().splitlines()
    assert [json.loads(line) for line in lines] == [{"step": 1}, {"step": 2, "again": True}]

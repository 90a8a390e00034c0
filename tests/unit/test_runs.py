"""Folders appear whole or not at all, and vouch for what they hold."""

import json

import pytest

from ligero import runs
from ligero.errors import DamagedError


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

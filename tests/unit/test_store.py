"""Folders in object storage: whole or not there, and checked before they appear."""

from uuid import uuid4

import pytest

from ligero import flags, runs, store
from ligero.errors import DamagedError, LigeroError

fsspec = pytest.importorskip("fsspec", reason="fsspec is not installed")


@pytest.fixture(params=["memory", "file"])
def url(request, tmp_path):
    place = tmp_path / "bucket" if request.param == "file" else f"/{uuid4().hex}"
    return f"{request.param}://{place}/prefix/one"


@pytest.fixture
def folder(tmp_path):
    with runs.publish(tmp_path / "made", seed=7) as place:
        (place / "a.txt").write_text("español\n")
        (place / "model").mkdir()
        (place / "model" / "weights.bin").write_bytes(bytes(range(256)) * 300)
    return tmp_path / "made"


def test_a_folder_comes_back_as_it_went(folder, url, tmp_path):
    assert not store.exists(url)
    store.push(folder, url)
    assert store.exists(url)
    store.fetch(url, tmp_path / "back")
    assert runs.verify(tmp_path / "back") == runs.verify(folder)
    for name in ("a.txt", "model/weights.bin", runs.MANIFEST):
        assert (tmp_path / "back" / name).read_bytes() == (folder / name).read_bytes()
    store.remove(url)
    assert not store.exists(url)
    store.remove(url)  # nothing is there, and that is what was wanted


def test_what_is_there_before_the_manifest_is_nothing(folder, url, monkeypatch):
    put, names = store._put, []

    def dies(files, source, target):
        if source.name == runs.MANIFEST:
            raise ConnectionError("gone")
        names.append(source.name)
        put(files, source, target)

    monkeypatch.setattr(store, "_put", dies)
    with pytest.raises(ConnectionError):
        store.push(folder, url)
    assert sorted(names) == ["a.txt", "weights.bin"]
    assert not store.exists(url)


def test_what_was_changed_on_the_way_does_not_appear(folder, url, tmp_path):
    store.push(folder, url)
    files, root = fsspec.core.url_to_fs(url)
    files.pipe_file(f"{root}/a.txt", b"espanol!\n")
    with pytest.raises(DamagedError, match=r"a\.txt: its content is not what was written"):
        store.fetch(url, tmp_path / "back")
    assert not (tmp_path / "back").exists() and not list(tmp_path.glob(".*.tmp"))


@pytest.mark.parametrize("name", ["../../evil", "/evil"])
def test_a_manifest_names_nothing_outside_its_folder(folder, url, tmp_path, name):
    store.push(folder, url)
    manifest = runs.read_json(folder / runs.MANIFEST)
    manifest["files"][name] = manifest["files"]["a.txt"]
    (tmp_path / "evil.json").write_text(str(manifest).replace("'", '"'))
    files, root = fsspec.core.url_to_fs(url)
    files.put_file(str(tmp_path / "evil.json"), f"{root}/{runs.MANIFEST}")
    with pytest.raises(DamagedError, match="names files outside its folder"):
        store.fetch(url, tmp_path / "back")


def test_another_files_manifest_is_none(folder, url, tmp_path):
    store.push(folder, url)
    files, root = fsspec.core.url_to_fs(url)
    files.pipe_file(f"{root}/{runs.MANIFEST}", b"[1, 2]")
    with pytest.raises(DamagedError, match="not a manifest"):
        store.fetch(url, tmp_path / "back")


def test_a_damaged_folder_is_not_pushed(folder, url):
    (folder / "a.txt").write_text("other")
    with pytest.raises(DamagedError):
        store.push(folder, url)
    assert not store.exists(url)


def test_storage_that_nobody_knows_is_said_in_one_line(folder, monkeypatch):
    with pytest.raises(LigeroError, match=r"^nowhere://a/b: .*nowhere[^\n]*$"):
        store.push(folder, "nowhere://a/b")
    monkeypatch.setattr(flags, "find_spec", lambda name: None)
    with pytest.raises(LigeroError, match=r"pip install 'ligero\[cluster\]'"):
        store.exists("memory://a")

"""Published folders in object storage, or wherever else fsspec reaches: s3://bucket/prefix, say.

The promise is that of `runs.publish`: the manifest is there last, so that its presence means that
all of the folder is, and what is fetched is checked against it before it appears under its name.
"""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from ligero import flags, runs
from ligero.errors import DamagedError, LigeroError


def push(folder: Path, url: str) -> None:
    """Copy a published folder to `url`, the manifest last. DamagedError where it is not whole."""
    with _opened(url) as (files, root):
        for name in (*runs.verify(folder)["files"], runs.MANIFEST):
            _put(files, folder / name, f"{root}/{name}")


def exists(url: str) -> bool:
    """Whether a folder was pushed to `url`, all of it."""
    with _opened(url) as (files, root):
        # Another process has put it there since this one last looked.
        files.invalidate_cache()
        return bool(files.exists(f"{root}/{runs.MANIFEST}"))


def fetch(url: str, folder: Path) -> None:
    """Publish as `folder` what was pushed to `url`; DamagedError where it is not what was pushed."""
    with _opened(url) as (files, root):
        manifest = _manifest(files.cat_file(f"{root}/{runs.MANIFEST}"), url)
        facts = {key: manifest[key] for key in manifest.keys() - {"ligero", "files"}}
        with runs.publish(folder, **facts) as place:
            for name in manifest["files"]:
                (place / name).parent.mkdir(parents=True, exist_ok=True)
                files.get_file(f"{root}/{name}", str(place / name))
            runs.write_json(place / runs.MANIFEST, manifest)
            runs.verify(place)


def remove(url: str) -> None:
    """Remove all that lies under `url`, if anything does."""
    with _opened(url) as (files, root), contextlib.suppress(FileNotFoundError):
        files.rm(root, recursive=True)


@contextlib.contextmanager
def _opened(url: str) -> Iterator[tuple[Any, str]]:
    """The file system of `url`, and the path in it."""
    flags.need(("fsspec",), "cluster")
    from fsspec.core import url_to_fs

    try:
        files, root = url_to_fs(url)
    except (ImportError, ValueError) as error:
        # A kind of storage that nobody knows, or whose package is not there.
        raise LigeroError(f"{url}: {error}") from None
    yield files, root.rstrip("/")


def _put(files: Any, source: Path, target: str) -> None:
    try:
        files.put_file(str(source), target)
    except FileNotFoundError:
        # Object storage has no folders to make; a file system has.
        files.makedirs(target.rpartition("/")[0], exist_ok=True)
        files.put_file(str(source), target)


def _manifest(raw: bytes, url: str) -> dict[str, Any]:
    """A manifest that names files below its own folder and nothing else."""
    try:
        manifest = json.loads(raw)
        paths = [PurePosixPath(name) for name in manifest["files"]]
    except (ValueError, TypeError, KeyError):
        raise DamagedError(f"{url}/{runs.MANIFEST}: not a manifest") from None
    if any(path.is_absolute() or ".." in path.parts for path in paths):
        raise DamagedError(f"{url}/{runs.MANIFEST}: names files outside its folder")
    return manifest

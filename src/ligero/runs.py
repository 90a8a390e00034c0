"""Folders that explain themselves and are never half-written.

Two kinds of folder, one promise. A *published* folder (a checkpoint, a model, a shard of teacher
outputs) appears whole, under its final name, or not at all. A *run* folder grows while its work
goes on; its manifest is written last, so the manifest's presence means that the run completed.
In both, `manifest.json` holds the SHA-256 of every file, and `verify` compares.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import socket
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ligero import __version__
from ligero.errors import BusyError, DamagedError, InputError, LigeroError

MANIFEST = "manifest.json"
LOG = "metrics.jsonl"
CHECKPOINTS = "checkpoints"


def sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest(value: Any) -> str:
    """SHA-256 of a JSON value, independent of the order of keys."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def write_json(path: Path, value: Any) -> None:
    """Write `value` so that `path` holds either its old content or all of the new."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write `text` (UTF-8) so that `path` holds either its old content or all of the new."""
    temporary = path.with_name(_temporary(path.name))
    try:
        with temporary.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        # The person asked for `path`, and never heard of the other.
        raise type(error)(error.errno, error.strerror, str(path)) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def read_json(path: Path) -> Any:
    """The JSON value in `path`; DamagedError when it is not readable as such."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DamagedError(f"{path}: not readable as JSON ({error})") from error


@contextlib.contextmanager
def publish(folder: Path, *, replace: bool = True, **facts: Any) -> Iterator[Path]:
    """A temporary folder to fill; on success it gets its manifest and becomes `folder`.

    `facts` go into the manifest. An existing `folder` is replaced, or with replace=False an OSError;
    after an error, or a kill at any moment, nothing of the new one is visible under its name. Only the
    folder that this process works in stays what it is: it is filled, its manifest last.

    Raises InputError where replacing `folder` would delete the one that this process works in.
    """
    # "." has no name that another could stand beside, and a link is not what is replaced.
    folder = folder.resolve()
    stood_in = _is_stood_in(folder)
    if stood_in and any(folder.iterdir()):
        raise InputError(
            "the folder that you are in, and not empty", file=folder,
            expected="an empty or another one, since it would be replaced",
        )  # fmt: skip
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = folder.with_name(_temporary(folder.name))
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    try:
        yield temporary
        write_manifest(temporary, **facts)
        mode = (temporary / MANIFEST).stat().st_mode
        for file in _files(temporary):
            # safetensors leaves files that only their owner may read.
            (temporary / file).chmod(mode)
            _fsync(temporary / file)
        _fsync(temporary)
        if stood_in:
            # Were it replaced, whoever stands in it would be left in one that is deleted.
            for path in sorted(temporary.iterdir(), key=lambda path: path.name == MANIFEST):
                path.rename(folder / path.name)
            temporary.rmdir()
            _fsync(folder)
        elif replace and folder.exists():
            # A folder cannot be renamed over another: the old one steps aside under a name that
            # the next `sweep` removes, should this process die in between.
            aside = folder.with_name(_temporary(folder.name + ".old"))
            shutil.rmtree(aside, ignore_errors=True)
            folder.rename(aside)
            temporary.rename(folder)
            shutil.rmtree(aside)
        else:
            temporary.rename(folder)
        _fsync(folder.parent)
    except BaseException as error:
        shutil.rmtree(temporary, ignore_errors=True)
        if type(error).__name__ == "SafetensorError":
            # What safetensors makes of a full disk; its module is not there in a base install.
            raise LigeroError(f"{folder}: cannot be written ({error})") from None
        raise


def write_manifest(folder: Path, **facts: Any) -> None:
    """Write `manifest.json`: `facts`, and size and SHA-256 of every file now in `folder`."""
    files = {
        name: {"bytes": (folder / name).stat().st_size, "sha256": sha256(folder / name)}
        for name in _files(folder)
    }
    write_json(folder / MANIFEST, {"ligero": __version__, **facts, "files": files})


def verify(folder: Path) -> dict[str, Any]:
    """The manifest of `folder`, every file of it checked; DamagedError says what does not hold."""
    manifest = read_json(folder / MANIFEST)
    files = manifest.get("files") if isinstance(manifest, dict) else None
    if not isinstance(files, dict):
        raise DamagedError(f"{folder / MANIFEST}: not a manifest")
    for name, promised in files.items():
        path = folder / name
        if not isinstance(promised, dict) or promised.keys() != {"bytes", "sha256"}:
            raise DamagedError(f"{folder / MANIFEST}: no size and SHA-256 of {name}")
        if not path.is_file():
            raise DamagedError(f"{path}: missing")
        size = path.stat().st_size
        if size != promised["bytes"]:
            raise DamagedError(f"{path}: {size:,} bytes where {promised['bytes']:,} were written")
        if sha256(path) != promised["sha256"]:
            raise DamagedError(f"{path}: its content is not what was written (SHA-256 differs)")
    return manifest


def is_published(folder: Path) -> bool:
    """Whether `folder` has a manifest of ligero's, and not another program's file of that name."""
    if not (folder / MANIFEST).exists():
        return False
    try:
        manifest = read_json(folder / MANIFEST)
    except DamagedError:
        return True
    return isinstance(manifest, dict) and "ligero" in manifest


def sweep(folder: Path) -> None:
    """Remove what killed processes of this machine left half-written directly under `folder`."""
    for path in folder.glob(".*~*~*.tmp"):
        *_, host, pid = path.name.removesuffix(".tmp").split("~")
        if host == socket.gethostname() and pid.isdecimal() and not _alive(int(pid)):
            # Another process may be sweeping here, too.
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)


class Run:
    """A run folder, locked for this process while it is open.

    identity: what makes two runs the same work (settings, hashes of inputs), as JSON. A folder that
        was begun with another identity is refused, naming what differs.
    """

    def __init__(self, path: Path, command: str, identity: Mapping[str, Any]) -> None:
        self.path, self.command, self.identity = path, command, json.loads(json.dumps(identity))
        self._lock: int | None = None

    def __enter__(self) -> Self:
        if self.path.exists() and not self.path.is_dir():
            raise InputError("a file", file=self.path, expected="a folder to work in")
        config = self.path / "config.json"
        if (
            self.path.is_dir()
            and not config.exists()
            and any(p.name != "lock" and not p.name.endswith(".tmp") for p in self.path.iterdir())
        ):
            raise InputError(
                "a folder that is not a run of ligero",
                file=self.path,
                expected="a new or empty one",
            )
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise InputError(
                f"no place to write ({error.strerror})", file=self.path,
                expected="a folder that you may write in",
            ) from None  # fmt: skip
        # The kernel drops this lock with the process, however that ends.
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock)
            raise BusyError(
                f"{self.path}: another process is working here; wait or stop it"
            ) from None
        try:
            sweep(self.path)
            begun = {"ligero": __version__, "command": self.command, "identity": self.identity}
            if config.exists():
                self._same_as(read_json(config))
            else:
                write_json(config, begun)
        except BaseException:
            self._release()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(error, InputError):
            self._take_back()
        self._release()

    def _take_back(self) -> None:
        """Leave no folder behind in which nothing could begin: other settings may then have it."""
        bare = [self.path / "config.json", self.path / "lock"]
        if set(self.path.iterdir()) <= set(bare):
            for path in bare:
                path.unlink(missing_ok=True)
            self.path.rmdir()

    def _release(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _same_as(self, begun: Mapping[str, Any]) -> None:
        before = {"command": begun.get("command"), **_flat(begun.get("identity", {}))}
        now = {"command": self.command, **_flat(self.identity)}
        other = [k for k in sorted(before.keys() | now.keys()) if before.get(k) != now.get(k)]
        if other:
            # Another command has altogether other settings, and says enough alone.
            other = ["command"] if "command" in other else other
            was = ", ".join(f"{key} = {before.get(key)!r}" for key in other)
            is_ = ", ".join(f"{key} = {now.get(key)!r}" for key in other)
            raise InputError(
                f"a run begun with {was}, and now {is_}",
                file=self.path,
                expected="the same settings and inputs, or another --out",
            )

    def is_complete(self, say: Callable[[str], None]) -> bool:
        """Whether the run finished and is as it was left. Damage is said; its work is then done again."""
        if not (self.path / MANIFEST).exists():
            return False
        try:
            verify(self.path)
        except DamagedError as error:
            say(f"finished before, but damaged since; done again ({error})")
            (self.path / MANIFEST).unlink()
            return False
        self._drop_checkpoints()  # a kill may have come right before
        return True

    def finish(self, results: Mapping[str, Any]) -> None:
        """Write `results.json`, then the manifest: after this the run is complete."""
        write_json(self.path / "results.json", results)
        write_manifest(self.path)
        self._drop_checkpoints()

    def _drop_checkpoints(self) -> None:
        """Free the space of what a finished run no longer needs: it is several times the model's."""
        shutil.rmtree(self.path / CHECKPOINTS, ignore_errors=True)

    def results(self) -> dict[str, Any]:
        """What `finish` was given."""
        results: dict[str, Any] = read_json(self.path / "results.json")
        return results


class Log:
    """`metrics.jsonl`: one JSON object a line, in step with the checkpoints."""

    def __init__(self, path: Path, keep: int) -> None:
        """Continue the file at byte `keep`: what a killed process wrote after is written again."""
        # Unbuffered: on a full disk nothing is left to be written, and fail again, at the end.
        self._file = path.open("a+b", buffering=0)
        self._file.truncate(keep)
        self._file.seek(0, os.SEEK_END)

    def write(self, **entry: Any) -> None:
        """Append one line."""
        self._file.write(json.dumps(entry, ensure_ascii=False).encode() + b"\n")

    @property
    def size(self) -> int:
        """Bytes written so far, all of them on disk."""
        os.fsync(self._file.fileno())
        return self._file.tell()

    def close(self) -> None:
        """End the file."""
        self._file.close()


class NoLog:
    """Takes what a log takes and keeps none of it: for processes that another one writes for."""

    size = 0

    def write(self, **entry: Any) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


def _temporary(name: str) -> str:
    return f".{name}~{socket.gethostname()}~{os.getpid()}.tmp"


def _files(folder: Path) -> list[str]:
    """Relative names of the files that a manifest vouches for.

    A folder that carries a manifest of its own says what it holds; DamagedError if it does not.
    """
    names = []
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.name in (MANIFEST, "lock", CHECKPOINTS):
            continue
        if path.is_file():
            names.append(path.name)
        elif (path / MANIFEST).exists():
            names.extend(f"{path.name}/{n}" for n in (MANIFEST, *verify(path)["files"]))
        else:
            names.extend(f"{path.name}/{n}" for n in _files(path))
    return names


def _is_stood_in(folder: Path) -> bool:
    """Whether this process works in a folder, or below it."""
    try:
        return Path.cwd().is_relative_to(folder)
    except FileNotFoundError:  # in one that is deleted
        return False


def _flat(value: Any, prefix: str = "") -> dict[str, Any]:
    if not isinstance(value, dict):
        return {prefix.rstrip("."): value}
    return {
        k: v for key, inner in value.items() for k, v in _flat(inner, f"{prefix}{key}.").items()
    }


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _alive(pid: int) -> bool:
    if pid == os.getpid():
        # Whatever bears this process's number before it has begun is an earlier one's: in a
        # container every run may have the same number.
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True

"""`ligero pull`: a model from the Hugging Face hub into a folder, checked against what the hub states.

Weights in safetensors, configuration, vocabulary, card, and an exported folder where there is one.
Anything that could run code when it is opened stays where it is.
"""

import contextlib
import fnmatch
import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ligero import __version__
from ligero.errors import DamagedError, InputError
from ligero.hub import TIMEOUT, bars, quiet, told
from ligero.models import hub
from ligero.runs import MANIFEST, publish, sha256
from ligero.runtime.card import CARD, HEAD, TOKENIZER, Card
from ligero.share import wire
from ligero.share.finished import EXPORT

_MODEL = ("*.safetensors", "*.json", "*.txt", "*.model", "README.md", "LICENSE*")
# OpenVINO keeps a graph's numbers in a `.bin` that is nothing but numbers; no other is taken.
_EXPORTED = tuple(
    f"{EXPORT}/{name}"
    for name in (
        CARD, MANIFEST, TOKENIZER, HEAD, "README.md", "gate.json",
        "model.xml", "model.bin", "model.onnx",
    )
)  # fmt: skip
_RUNS_CODE = (".py", ".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib", ".msgpack")


@dataclass(frozen=True)
class Stated:
    """A file as the hub states it. hash: SHA-256 of large files, git's SHA-1 of others."""

    name: str
    bytes: int
    hash: str

    def check(self, file: Path) -> None:
        """Raises DamagedError where a file here is not that one; it is deleted."""
        size = file.stat().st_size
        found = sha256(file) if len(self.hash) == 64 else git_sha1(file)
        if (size, found) != (self.bytes, self.hash):
            file.unlink()
            raise DamagedError(
                f"{wire.shown(self.name)}: {size:,} bytes with hash {found}, where the hub states "
                f"{self.bytes:,} with {self.hash}; thrown away, repeat to fetch it again"
            )


def pull(repository: str, revision: str | None = None, out: Path | None = None) -> dict[str, Any]:
    """Download a model; where it lies, its commit, its licence, and the files that were left out.

    revision: branch, tag or commit. out: the folder; the repository's name in this one where left
    out. It appears whole or not at all; what a killed call had fetched is used by the next.

    Raises InputError for a repository that is not there, needs a permission or has nothing that may
    be taken, and for an `out` that holds something else; DamagedError where a file is not what the
    hub states; LigeroError where the hub cannot be reached.
    """
    wire.check_name(repository)
    folder = out or Path(repository.partition("/")[2])
    wire.check_room(folder, repository)
    quiet()
    from huggingface_hub import HfApi

    with told(repository, revision, named=repository, what="model", missing="no model"):
        info = HfApi(library_name="ligero", library_version=__version__).model_info(
            repository, revision=revision, files_metadata=True, timeout=TIMEOUT
        )
        stated = [_stated(sibling) for sibling in info.siblings or ()]
        wanted = [file for file in stated if _is_wanted(file.name)]
        left = sorted(
            file.name for file in stated if file not in wanted and file.name != ".gitattributes"
        )
        _check_listing(repository, [file.name for file in wanted], left)
        if not wire.is_whole(folder, repository=repository, commit=info.sha):
            _fetch(folder, repository, str(info.sha), wanted)
    return {
        "folder": str(folder),
        "repository": repository,
        "commit": info.sha,
        "files": len(wanted),
        "bytes": sum(file.bytes for file in wanted),
        "left": {name: _why(name) for name in left},
        "model": (folder / hub.CONFIG).is_file(),
        "export": (folder / EXPORT / CARD).is_file(),
        **_said(folder / "README.md"),
    }


def _stated(sibling: Any) -> Stated:
    large = sibling.lfs
    return Stated(sibling.rfilename, sibling.size, large.sha256 if large else sibling.blob_id)


def _is_wanted(name: str) -> bool:
    if "/" in name:
        return name in _EXPORTED
    # A manifest of a folder that once lay elsewhere vouches for files that are not all here.
    return name != MANIFEST and any(fnmatch.fnmatchcase(name, kind) for kind in _MODEL)


def _why(name: str) -> str:
    return "could run code" if name.lower().endswith(_RUNS_CODE) else "not part of a model"


def _check_listing(repository: str, wanted: list[str], left: list[str]) -> None:
    if f"{EXPORT}/{CARD}" in wanted or any(
        name in wanted for name in (hub.WEIGHTS, hub.INDEX)
    ):  # fmt: skip
        return
    risky = [name for name in left if _why(name) == "could run code"]
    found = f"only {risky[0]}, which could run code when opened" if risky else "no weights"
    raise InputError(f"{repository}: found {found}; expected {hub.WEIGHTS}")


def _fetch(folder: Path, repository: str, commit: str, wanted: list[Stated]) -> None:
    """Fetch files beside the folder, check each, and publish the folder of them."""
    folder = folder.resolve()  # "." has no name
    part = folder.with_name(f".{folder.name}.{commit[:12]}.part")
    for file in wanted:
        with bars():
            _download(part / file.name, repository, commit, file)
    with publish(folder, repository=repository, commit=commit) as place:
        for file in wanted:
            (place / file.name).parent.mkdir(exist_ok=True)
            (part / file.name).rename(place / file.name)
        if (place / hub.CONFIG).is_file():
            hub.check(place)
        if (place / EXPORT / CARD).is_file():
            Card.read(place / EXPORT)
    shutil.rmtree(part)


def _download(target: Path, repository: str, commit: str, file: Stated) -> None:
    """Fetch what is missing of a file, and check it."""
    from huggingface_hub import hf_hub_url
    from huggingface_hub.file_download import http_get
    from huggingface_hub.utils import build_hf_headers

    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("ab") as partial:
        here = partial.tell()
        if here < file.bytes:
            http_get(
                hf_hub_url(repository, file.name, revision=commit),
                partial,
                resume_size=here,
                headers=build_hf_headers(library_name="ligero", library_version=__version__),
                displayed_filename=wire.shown(file.name),
            )
    file.check(target)


def git_sha1(file: Path) -> str:
    """What git calls a file's content: SHA-1 of `blob`, its size, and its bytes."""
    content = file.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def _said(readme: Path) -> dict[str, Any]:
    """What a card says of licence and data; of YAML that cannot be read, as of none, nothing."""
    from huggingface_hub import metadata_load

    said: dict[str, Any] = {"licence": None, "datasets": []}
    if not readme.is_file():
        return said
    # Anyone writes cards, and what is no YAML raises nearly anything.
    with contextlib.suppress(Exception):
        told = metadata_load(readme) or {}
        said["licence"] = ", ".join(_strings(told.get("license"))) or None
        said["datasets"] = _strings(told.get("datasets"))
    lines = readme.read_text(encoding="utf-8", errors="replace").splitlines()
    warned = next((line[2:] for line in lines if line.startswith("> **")), None)
    return {**said, **({"warning": warned} if warned else {})}


def _strings(value: Any) -> list[str]:
    """What a card has as one value or as a list of them, as the hub allows."""
    values = value if isinstance(value, list) else [value]
    return [str(each) for each in values if isinstance(each, str | int | float)]

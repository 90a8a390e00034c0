"""Files of labelled data on the Hugging Face hub: `hf://datasets/owner/name@commit/path`.

The address holds a commit, so that the same command reads the same bytes next year. Files land in
the hub's own cache; what is there already is read without the network.
"""

import difflib
import re
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from ligero.errors import DamagedError, InputError, LigeroError, excerpt
from ligero.hub import TIMEOUT, bars, is_network, told
from ligero.runs import sha256 as hash_file

SCHEME = "hf://"
_FORM = "hf://datasets/owner/name@commit/path/in/repository"
_ADDRESS = re.compile(r"hf://datasets/([\w.-]+/[\w.-]+)(?:@([^/\s]+))?/(\S.*)")
_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True)
class _Address:
    """The parts of an address; `revision` is whatever stood after the @, None without one."""

    repository: str
    revision: str | None
    path: str

    def at(self, commit: str) -> str:
        return f"hf://datasets/{self.repository}@{commit}/{self.path}"


def is_remote(address: str) -> bool:
    """Whether this names a file on the hub (`hf://…`), not one here."""
    return address.startswith(SCHEME)


def fetch(address: str, sha256: str | None = None) -> Path:
    """The local copy of a file on the hub, downloaded into the hub's cache when it is not there.

    address: `hf://datasets/owner/name@commit/path`, the commit in full (40 hexadecimal digits).
    sha256: what the file's bytes must hash to, where that is known.

    Raises InputError for an address of another form, a branch or tag instead of a commit (the
    error tells the commit to write), a repository, commit or file that is not there, a repository
    that needs a permission; DamagedError when the bytes hash to something else; LigeroError when
    the hub cannot be reached and the cache lacks the file, or its library is not installed.
    """
    parts = _parse(address)
    if find_spec("huggingface_hub") is None:
        raise LigeroError(
            f"{address}: huggingface_hub is not installed; install it with: "
            "pip install 'ligero[train]'"
        )
    if parts.revision is None or not _COMMIT.fullmatch(parts.revision):
        raise _unpinned(address, parts)
    file = _download(address, parts)
    if sha256 is not None and (found := hash_file(file)) != sha256:
        raise DamagedError(
            f"{address}: found SHA-256 {found}; expected {sha256}; the copy is not used "
            f"(delete {file} to have it fetched again)"
        )
    return file


def _parse(address: str) -> _Address:
    matched = _ADDRESS.fullmatch(address)
    # A path that climbs out of the repository would climb out of the cache.
    if matched is None or ".." in matched[3].split("/"):
        raise InputError(f"the address {excerpt(address, 200)}", expected=_FORM)
    return _Address(*matched.groups())


def _unpinned(address: str, parts: _Address) -> InputError:
    """The error for an address without a commit, with the address that has it if the hub tells."""
    from huggingface_hub import HfApi

    found = f"no revision in {address}"
    if parts.revision is not None:
        found = f"the revision {excerpt(parts.revision)} in {address}, which may change"
    try:
        with told(
            parts.repository, parts.revision, named=address, what="dataset", missing="no file"
        ):
            info = HfApi().dataset_info(parts.repository, revision=parts.revision, timeout=TIMEOUT)
    except InputError:
        raise
    except LigeroError:
        return InputError(
            found, expected=f"a commit, {_FORM} (the hub cannot be reached to tell it)"
        )
    return InputError(found, expected=f"a commit: {parts.at(str(info.sha))}")


def _no_file(parts: _Address, files: list[str]) -> InputError:
    """The error for a path that the repository does not hold: it offers the nearest it does."""
    near = difflib.get_close_matches(parts.path, files, n=3, cutoff=0.5)
    place = f"https://huggingface.co/datasets/{parts.repository}/tree/{parts.revision}"
    hint = f"did you mean {', '.join(near)}?" if near else f"those it has: {place}"
    return InputError(f"unknown file of {parts.repository} {excerpt(parts.path)}: {hint}")


def _download(address: str, parts: _Address) -> Path:
    from huggingface_hub import HfApi, hf_hub_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    get = partial(
        hf_hub_download,
        parts.repository,
        parts.path,
        repo_type="dataset",
        revision=parts.revision,
        etag_timeout=TIMEOUT,
    )
    with told(parts.repository, parts.revision, named=address, what="dataset", missing="no file"):
        try:
            return Path(get(local_files_only=True))
        except LocalEntryNotFoundError as missing:
            # Asked first because it answers at once: a download tries 20 s before it gives up.
            try:
                info = HfApi().dataset_info(
                    parts.repository, revision=parts.revision, timeout=TIMEOUT
                )
            except Exception as error:
                raise missing if is_network(error) else error from None
        files = [file.rfilename for file in info.siblings or ()]
        if parts.path not in files:
            raise _no_file(parts, files)
        with bars():
            return Path(get())

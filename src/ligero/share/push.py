"""`ligero push`: a trained model, its export and its card, as one commit to the Hugging Face hub."""

import fnmatch
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ligero import __version__
from ligero.errors import InputError, LigeroError
from ligero.hub import TIMEOUT, bars, quiet
from ligero.runs import MANIFEST, publish, verify, write_text
from ligero.share import card, licences, wire
from ligero.share.finished import EXPORT, TASK_CARD, Finished, find

README = "README.md"
# What makes a model's folder, besides its weights.
_MODEL = ("config.json", "tokenizer.json", "tokenizer_config.json", TASK_CARD)
_WEIGHTS = "*.safetensors*"
# What a push leaves on the hub, for the next to delete where it does not bring the same. Old weights
# beside a new card would be taken for the model: transformers reads one file rather than shards.
LEFT = (*_MODEL, _WEIGHTS, f"{EXPORT}/*")
MAIN = "main"


@dataclass(frozen=True)
class Parcel:
    """A folder that is ready to go up.

    folder: where it lies. repository: `owner/name`. licence: of the weights, by the hub's name of
    it. files: name -> bytes. data: what the data are called and their terms, "" where not known.
    """

    folder: Path
    repository: str
    licence: str
    files: dict[str, int]
    data: str

    @property
    def bytes(self) -> int:
        """Of all its files."""
        return sum(self.files.values())


@contextmanager
def packed(
    place: str,
    repository: str,
    *,
    licence: str | None = None,
    export: str | None = None,
    with_export: bool = True,
    out: Path | None = None,
) -> Iterator[Parcel]:
    """The folder that would go up, card included; it is gone after the block unless `out` is given.

    place, export, with_export: as `finished.find` has them. licence: of the weights; the one that
    follows from what they were made of where left out.

    Raises InputError and DamagedError as `find`, and InputError where no licence follows or where
    `out` holds something else.
    """
    wire.check_name(repository)
    if out:
        wire.check_room(out, repository)
    finished = find(place, export, with_export=with_export)
    chosen = licences.given(licence) if licence else finished.licence()
    with tempfile.TemporaryDirectory(prefix="ligero-push-") as name:
        folder = out or Path(name) / "parcel"
        with publish(folder, repository=repository, licence=chosen) as made:
            _fill(made, finished)
            write_text(made / README, card.page(finished, repository, chosen))
        files = {name: told["bytes"] for name, told in verify(folder)["files"].items()}
        terms = f": {finished.data_licence}" if finished.data_licence else ""
        yield Parcel(folder, repository, chosen, files, finished.title + terms)


def _fill(folder: Path, finished: Finished) -> None:
    if finished.model:
        names = [*_MODEL, *(file.name for file in finished.model.glob(_WEIGHTS))]
        for name in names:
            if (finished.model / name).is_file():
                shutil.copyfile(finished.model / name, folder / name)
    if finished.export:
        (folder / EXPORT).mkdir()
        for name in (MANIFEST, *verify(finished.export)["files"]):
            shutil.copyfile(finished.export / name, folder / EXPORT / name)


def send(
    parcel: Parcel, *, private: bool, revision: str, agreed: Callable[[str], bool]
) -> dict[str, Any] | None:
    """Put a folder on the hub as one commit; what became of it, None where a person said no.

    What an earlier push left (`LEFT`) and this one has not is deleted by the same commit. The
    repository is made where there is none. Nothing of the folder can be seen before the commit.
    revision: a branch, made where there is none. agreed: is asked once, with all that is about to
    happen.

    Raises LigeroError where there is no token, where the token may not do it, where the repository
    changed meanwhile, where the hub cannot be reached; InputError for a public repository that was
    to be private.
    """
    quiet()
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi, get_token

    if not get_token():
        raise LigeroError(
            "no token for the hub; set HF_TOKEN, or `hf auth login` (it needs write permission)"
        )
    api = HfApi(library_name="ligero", library_version=__version__)
    repository = parcel.repository
    with wire.sending(repository), bars():
        user = api.whoami()["name"]
        there = _look(api, repository, None)
        if there and private and not there.private:
            raise InputError(
                f"{repository}, which is public", expected="no --private, or a repository that is"
            )
        place = f"{api.endpoint}/{repository}"
        who = "private" if (there.private if there else private) else "public"
        at_branch = _look(api, repository, revision) if there else None
        # A new branch begins as main is.
        stale = _stale(at_branch or there, parcel)
        where = f"to {place} ({who}, {revision}) as {user}"
        if not agreed(f"{contents(parcel, stale)}\n{where}"):
            return None
        if there is None:
            api.create_repo(repository, private=private, exist_ok=True)
        if at_branch is None and revision != MAIN:
            api.create_branch(repository, branch=revision, exist_ok=True)
        head = at_branch or _look(api, repository, revision)
        done = api.create_commit(
            repository,
            [
                *(CommitOperationDelete(path_in_repo=name) for name in stale),
                *(
                    CommitOperationAdd(path_in_repo=name, path_or_fileobj=parcel.folder / name)
                    for name in parcel.files
                ),
            ],
            commit_message="Model and card, by ligero",
            revision=revision,
            # What was shown to a person is what is replaced.
            parent_commit=head.sha if head else None,
        )
    return {"url": place, "commit": done.oid, "files": len(parcel.files), "bytes": parcel.bytes}


def _look(api: Any, repository: str, revision: str | None) -> Any:
    """What the hub says of a repository at a revision; None where there is none."""
    from huggingface_hub.errors import RepositoryNotFoundError, RevisionNotFoundError

    try:
        return api.model_info(repository, revision=revision, timeout=TIMEOUT)
    except (RepositoryNotFoundError, RevisionNotFoundError):
        return None


def _stale(there: Any, parcel: Parcel) -> list[str]:
    names = [file.rfilename for file in there.siblings or ()] if there else []
    return [name for name in names if _is_left(name) and name not in parcel.files]


def _is_left(name: str) -> bool:
    if "/" in name:
        return name.startswith(f"{EXPORT}/")
    return any(fnmatch.fnmatchcase(name, kind) for kind in LEFT)


def contents(parcel: Parcel, stale: Sequence[str] | None = None) -> str:
    """The files of a parcel and their bytes, one a line, its licence, and the data's terms.

    stale: what is deleted on the hub; None where that was not asked what it has.
    """
    if stale is None:
        stale = [f"what else is there of {', '.join(LEFT)}"]
    lines = [f"{size:>14,}  {name}" for name, size in parcel.files.items()]
    lines += [f"{'deleted':>14}  {name}" for name in stale]
    lines.append(f"{len(parcel.files)} files, {parcel.bytes:,} bytes")
    lines.append(f"licence of the weights: {parcel.licence}")
    lines += [f"data: {parcel.data}"] if parcel.data else []
    return "\n".join(wire.shown(line) for line in lines)

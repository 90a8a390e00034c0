"""What going to the hub and coming from it share: nothing sent unasked, folders, failures in one line."""

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ligero.errors import DamagedError, InputError, LigeroError, excerpt
from ligero.hub import is_network
from ligero.runs import MANIFEST, is_published, read_json, verify

_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")


def check_name(repository: str) -> None:
    """Raises InputError for what is no `owner/name`."""
    if not _REPOSITORY.fullmatch(repository) or repository.startswith("."):
        raise InputError(f"the repository {excerpt(repository)}", expected="OWNER/NAME")


def check_room(folder: Path, repository: str) -> None:
    """Raises InputError where a folder holds anything but an earlier copy of this repository."""
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    if folder.is_dir() and is_published(folder) and origin(folder).get("repository") == repository:
        return
    raise InputError(
        "something else" if folder.is_dir() else "a file", file=folder,
        expected=f"a new folder, or an earlier copy of {repository}; --out names another",
    )  # fmt: skip


def shown(text: str, limit: int = 1000) -> str:
    """What others wrote, for a terminal: in one line, and nothing in it that a terminal obeys."""
    return excerpt(text, limit)[1:-1]


def origin(folder: Path) -> dict[str, Any]:
    """The manifest of a folder that was made for the hub or of it, unchecked; {} for a damaged one."""
    try:
        told = read_json(folder / MANIFEST)
    except DamagedError:
        return {}
    return told if isinstance(told, dict) else {}


def is_whole(folder: Path, **facts: Any) -> bool:
    """Whether a folder is a copy with these facts in its manifest, and as it was written."""
    if not folder.is_dir() or not facts.items() <= origin(folder).items():
        return False
    try:
        verify(folder)
    except DamagedError:
        return False
    return True


@contextlib.contextmanager
def sending(repository: str) -> Iterator[None]:
    """Turns the failures of an upload within the block into errors that a person may be shown."""
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    try:
        yield
    except (LigeroError, KeyboardInterrupt):
        raise
    except HFValidationError as error:
        raise InputError(f"{repository}: no name that the hub takes ({_line(error)})") from None
    except Exception as error:
        # An upload in several threads wraps what went wrong in one.
        cause = error.__cause__ if type(error) is RuntimeError and error.__cause__ else error
        status = getattr(getattr(cause, "response", None), "status_code", None)
        if isinstance(cause, HfHubHTTPError) and status in _ADVICE:
            raise LigeroError(f"{repository}: {_ADVICE[status]}; nothing was published") from None
        if isinstance(cause, Exception) and is_network(cause):
            raise LigeroError(
                f"{repository}: the hub cannot be reached ({_line(cause)}); what it has of this is all "
                "or nothing, repeat to send it"
            ) from None
        if isinstance(cause, HfHubHTTPError | ValueError):
            raise LigeroError(f"{repository}: the hub did not take it ({_line(cause)})") from None
        raise


_TOKENS = "https://huggingface.co/settings/tokens"
_ADVICE = {
    401: f"the hub does not know this token; make one at {_TOKENS}, then `hf auth login`",
    403: f"this token may not write there; it needs write permission ({_TOKENS})",
    404: "no such owner or revision on the hub, or this token may not see it",
    409: "someone else is changing it just now; look at it, and push again",
    412: "someone else has changed it meanwhile; look at it, and push again",
    429: "the hub asks for fewer requests; wait, and push again",
}


def _line(error: BaseException) -> str:
    return shown(" ".join((str(error).strip() or type(error).__name__).split()), 200)

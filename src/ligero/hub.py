"""What fetching anything from the Hugging Face hub shares: its failures, each told in one line.

`models/hub.py` fetches checkpoints, `tasks/remote.py` files of labelled data. The hub's library is
imported only when something is fetched: the base install has none.
"""

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import Literal

from ligero.errors import InputError, LigeroError, excerpt

TIMEOUT = 10.0  # seconds until the hub counts as unreachable and the cache is asked
_QUIET = "HF_HUB_DISABLE_TELEMETRY"


def quiet() -> None:
    """Have the hub's library tell its makers nothing of what is installed here, nor of transfers."""
    # The variable for the part of it that is not Python; the constant if it was imported before.
    os.environ[_QUIET] = "1"
    from huggingface_hub import constants

    constants.HF_HUB_DISABLE_TELEMETRY = True


@contextlib.contextmanager
def told(
    repository: str,
    revision: str | None,
    *,
    named: str,
    what: Literal["model", "dataset"],
    missing: str,
) -> Iterator[None]:
    """Turns the hub's failures within the block into errors that a person may be shown.

    repository, revision: what is asked for. named: how the person wrote it. what: the type of
    repository. missing: what there is none of here either, before it was looked for on the hub
    ("no folder").

    Raises InputError for a repository or revision that is not there, needs a permission, or cannot
    be a name; LigeroError when the hub cannot be reached and the cache does not have it, and when
    a download breaks off.
    """
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        HFValidationError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    place = repository if what == "model" else f"datasets/{repository}"
    quiet()
    try:
        yield
    except LigeroError:
        raise
    except GatedRepoError:
        raise InputError(
            f"{named}: the hub asks you to accept this {what}'s conditions; open "
            f"https://huggingface.co/{place}, then `hf auth login`"
        ) from None
    except RevisionNotFoundError:
        raise InputError(
            f"no revision {excerpt(revision or '')} of {repository} on the hub"
        ) from None
    except RepositoryNotFoundError:
        raise InputError(
            f"{missing} {excerpt(named)}, and no public repository of that name on the hub; "
            "for a private one, `hf auth login` first"
        ) from None
    except HFValidationError:
        raise InputError(f"{missing} {excerpt(named)}, and no valid hub name") from None
    except LocalEntryNotFoundError:
        raise LigeroError(
            f"{named}: {missing.replace('no ', 'no such ', 1)}, the hub cannot be reached, and its "
            "cache has no complete copy"
        ) from None
    except HfHubHTTPError as error:
        raise LigeroError(f"{named}: the hub answered {_first_line(error)}") from None
    except Exception as error:
        if not is_network(error):
            raise
        raise LigeroError(
            f"{named}: the download broke off ({_first_line(error)}); repeat to continue it"
        ) from None


def is_network(error: Exception) -> bool:
    """Whether the hub could not be asked. The hub's library has changed its HTTP library once a
    major version (requests, httpx, httpx2), so they are told by name rather than imported."""
    if isinstance(error, ConnectionError | TimeoutError):
        return True
    response = getattr(error, "response", None)
    if response is not None:
        return int(response.status_code) >= 500
    return type(error).__module__.partition(".")[0] in {"requests", "httpx", "httpx2", "httpcore"}


@contextlib.contextmanager
def bars() -> Iterator[None]:
    """Progress bars on a terminal only: in a log they are thousands of lines."""
    from huggingface_hub.utils import (
        are_progress_bars_disabled,
        disable_progress_bars,
        enable_progress_bars,
    )

    silence = not sys.stderr.isatty() and not are_progress_bars_disabled()
    if silence:
        disable_progress_bars()
    try:
        yield
    finally:
        if silence:
            enable_progress_bars()


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]

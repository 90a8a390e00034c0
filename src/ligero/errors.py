"""The errors a person may see, each one line: what was found, where, and what to do.

Anything raised from here is printed by the command line without a traceback and ends the
process with the error's own exit code. Any other exception is a defect of ligero.
"""

import difflib
from collections.abc import Iterable
from pathlib import Path


class LigeroError(Exception):
    """A failure that ligero foresaw. `exit_code` is what the process ends with."""

    exit_code = 1

    def __init__(self, message: str) -> None:
        # One error is one line, whatever the input smuggled into it.
        super().__init__(
            "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in message)
        )


class InputError(LigeroError):
    """What the user gave cannot be used: a file, a line of it, a name, an option.

    `found` says what is there, `expected` what should be; `file` and `line` (from 1) say where.
    """

    exit_code = 2

    def __init__(
        self,
        found: str,
        *,
        file: str | Path | None = None,
        line: int | None = None,
        expected: str | None = None,
    ) -> None:
        self.found, self.file, self.line, self.expected = found, file, line, expected
        where = "" if file is None else f"{file}: " if line is None else f"{file}:{line}: "
        message = f"{where}found {found}; expected {expected}" if expected else f"{where}{found}"
        super().__init__(message)


class DamagedError(LigeroError):
    """A file that ligero wrote does not hold what its checksum promises."""


class DivergedError(LigeroError):
    """A loss or gradient stopped being finite; the message names the step and the examples."""


class BusyError(LigeroError):
    """Another process is working in the same run folder."""


def excerpt(text: str, limit: int = 60) -> str:
    """`text` quoted for a message, cut with an ellipsis after `limit` characters."""
    return repr(text if len(text) <= limit else text[: limit - 1] + "…")


def unknown(what: str, name: str, known: Iterable[str]) -> InputError:
    """The error for a name that is not in a list: it offers the nearest known names."""
    known = sorted(known)
    near = difflib.get_close_matches(name.lower(), known, n=3, cutoff=0.5)
    hint = f"did you mean {', '.join(near)}?" if near else f"known: {', '.join(known)}"
    return InputError(f"unknown {what} {excerpt(name)}: {hint}")

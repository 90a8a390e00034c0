"""Exported models over HTTP: one process takes requests, others read texts.

from ligero.serve import serve

serve(["runs/ner/export", "topics=runs/topics/export"], port=8000, workers=2)
"""

import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ligero import config
from ligero.errors import LigeroError

READY = re.compile(r"^ready: (\S+)")


def serve(folders: Sequence[str | Path], **settings: Any) -> None:
    """Serve exported folders (each FOLDER or NAME=FOLDER) until a signal comes.

    settings: those of `config.ServeConfig`. Raises InputError for folders that are no exports, names
    that clash and settings that are none, LigeroError where the address is taken or no worker starts.
    """
    from ligero.serve.run import run

    run(folders, config.build(config.ServeConfig, settings))


@dataclass(frozen=True)
class Served:
    """A server in a process of its own. url: where it answers."""

    url: str
    process: "subprocess.Popen[str]"


@contextlib.contextmanager
def serving(
    folders: Sequence[str | Path], environment: dict[str, str] | None = None, **settings: Any
) -> Iterator[Served]:
    """`with serving([folder]) as served:` a server that is ready, on a free port; ended behind it.

    settings: those of `config.ServeConfig`. environment: variables over this process's. Raises
    LigeroError where the server ends before it is ready; it has then said why.
    """
    words = [sys.executable, "-m", "ligero", "serve", *map(str, folders)]
    for name, value in {"port": 0, **settings}.items():
        words += [
            f"--{name.replace('_', '-')}",
            str(value).lower() if value is True else str(value),
        ]
    process = subprocess.Popen(
        words, stdout=subprocess.PIPE, text=True, env={**os.environ, **(environment or {})}
    )
    assert process.stdout is not None
    with process:
        try:
            found = next(filter(None, map(READY.match, process.stdout)), None)
            if found is None:
                raise LigeroError(f"the server ended with exit code {process.wait()}")
            yield Served(found[1], process)
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()

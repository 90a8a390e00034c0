"""Settings as flags of a verb: one flag for each, laid over a TOML file."""

import argparse
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any, TypeVar

from ligero import config
from ligero.errors import LigeroError

T = TypeVar("T")

# What everything in torch needs: the extra `train`.
TRAINING = ("torch", "transformers", "safetensors")

# Verbs that work on a task take it without a flag.
TASK: tuple[str, ...] = ("data", "task")


def add(parser: Any, cls: type) -> None:
    """One flag for each setting of a dataclass and its sections."""
    groups: dict[str, Any] = {}
    for option in config.options(cls):
        if option.path == TASK:
            continue
        title = option.path[0].replace("_", " ") if len(option.path) > 1 else "run"
        if title not in groups:
            groups[title] = parser.add_argument_group(title)
        default = "" if option.default in (None, "") else f" (default: {option.default})".lower()
        groups[title].add_argument(
            config.flag(option),
            dest="set " + ".".join(option.path),
            default=argparse.SUPPRESS,
            metavar=option.metavar,
            help=option.help.replace("%", "%%") + default,
        )


def given(chosen: argparse.Namespace) -> dict[tuple[str, ...], Any]:
    """The settings that flags gave: path -> text."""
    return {
        tuple(name.removeprefix("set ").split(".")): value
        for name, value in vars(chosen).items()
        if name.startswith("set ")
    }


def read(chosen: argparse.Namespace, cls: type[T], task: str | None = None) -> T:
    """A verb's settings: its TOML file (`--config`), and over it flags and the task."""
    table = config.read_toml(chosen.config) if chosen.config else {}
    over = {TASK: task} if task else {}
    return config.build(cls, config.nest({**given(chosen), **over}, table))


def count(text: str) -> int:
    """A flag's type: a whole number, at least 1."""
    number = int(text) if text.isdecimal() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r}: a whole number, at least 1")
    return number


def need(names: Sequence[str], extra: str) -> None:
    """Say how to install what a verb needs, instead of failing at some import: LigeroError."""
    missing = [name for name in names if find_spec(name) is None]
    if missing:
        raise LigeroError(
            f"{', '.join(missing)} not installed; install them with: pip install 'ligero[{extra}]'"
        )

"""How a TOML file and flags become frozen dataclasses; an unknown key is an error.

What there is to set stands in `config.py`.
"""

import dataclasses
import math
import tomllib
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar, Union

from ligero.errors import InputError, excerpt, unknown

T = TypeVar("T")


def setting(
    default: Any,
    text: str,
    *,
    free: bool = False,
    metavar: str = "",
    flag: str = "",
    least: float = 0,
    most: float = math.inf,
    later: bool = False,
) -> Any:
    """A dataclass field with its default and its one-sentence help; a number's least and most.

    flag: its name on the command line, where that is not the field's own. later: whether there were
    runs before there was this setting; they are known as those of its default.
    """
    facts = {
        "help": text, "free": free, "metavar": metavar, "flag": flag, "range": (least, most),
        "later": later,
    }  # fmt: skip
    return field(default=default, metadata=facts)


def section(cls: type, *, free: bool = False, later: bool = False) -> Any:
    """A dataclass field that is itself a group of settings. later: as `setting` has it, where all
    settings in it are."""
    return field(default_factory=cls, metadata={"free": free, "later": later})


def further(text: str) -> Any:
    """A dataclass field of as many groups of settings as a TOML file has tables for."""
    return field(default=(), metadata={"help": text, "free": False})


@dataclass(frozen=True)
class Option:
    """One setting as the command line sees it. `path` is where it stands in a TOML file."""

    path: tuple[str, ...]
    type: Any
    default: Any
    help: str
    metavar: str
    flag: str


# Sections whose settings need no prefix on the command line: their names are clear alone.
PLAIN_SECTIONS = ("data", "place", "fit", "phase")


def options(cls: type, path: tuple[str, ...] = ()) -> list[Option]:
    """Every setting of a dataclass and its sections, in order."""
    hints = typing.get_type_hints(cls)
    found = []
    for f in dataclasses.fields(cls):
        if dataclasses.is_dataclass(hints[f.name]):
            found += options(typing.cast(type, hints[f.name]), (*path, f.name))
        elif _several(hints[f.name]) is None:
            metavar = f.metadata["metavar"] or kind_of(hints[f.name])
            found.append(
                Option(
                    (*path, f.name),
                    hints[f.name],
                    f.default,
                    f.metadata["help"],
                    metavar,
                    f.metadata["flag"],
                )
            )
    return found


def flag(option: Option) -> str:
    """`--learning-rate` or, in a section that several of its kind share, `--teacher-fit.epochs`."""
    path = option.path[1:] if option.path[0] in PLAIN_SECTIONS else option.path
    if option.flag:
        path = (*path[:-1], option.flag)
    return "--" + ".".join(path).replace("_", "-")


def kind_of(hint: Any) -> str:
    """What a flag wants, for its help."""
    if typing.get_origin(hint) in (Union, types.UnionType):
        return kind_of(next(a for a in typing.get_args(hint) if a is not type(None)))
    if typing.get_origin(hint) is Literal:
        return "|".join(typing.get_args(hint))
    return {int: "N", float: "X", bool: "true|false"}.get(hint, "NAME")


def read_toml(path: str | Path) -> dict[str, Any]:
    """The tables of a TOML file."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot be read: {error}", file=path) from error
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"not TOML: {error}", file=path) from error


def build(cls: type[T], values: dict[str, Any], where: str = "settings") -> T:
    """A dataclass from nested dictionaries; InputError for an unknown key or a wrong type."""
    hints = typing.get_type_hints(cls)
    ranges = {
        f.name: f.metadata.get("range", ()) for f in dataclasses.fields(typing.cast(Any, cls))
    }
    made: dict[str, Any] = {}
    for name, value in values.items():
        if name not in hints:
            raise unknown(f"setting in {where}", name, hints)
        hint = hints[name]
        if dataclasses.is_dataclass(hint):
            if not isinstance(value, dict):
                raise InputError(f"{where}: {name} = {excerpt(str(value))}", expected="a table")
            made[name] = build(typing.cast(type, hint), value, f"{where}.{name}")
        elif (each := _several(hint)) is not None:
            if not isinstance(value, list) or not all(isinstance(table, dict) for table in value):
                raise InputError(f"{where}: {name} = {excerpt(str(value))}", expected=f"[[{name}]]")
            made[name] = tuple(build(each, table, f"{where}.{name}") for table in value)
        else:
            made[name] = convert(hint, value, f"{where}: {name}", *ranges[name])
    return cls(**made)


def _several(hint: Any) -> Any:
    """The dataclass that a setting holds any number of; None where it holds one value."""
    return typing.get_args(hint)[0] if typing.get_origin(hint) is tuple else None


def convert(hint: Any, value: Any, where: str, least: float = 0, most: float = math.inf) -> Any:
    """`value` (from TOML or a flag's text) as the type that the setting asks for."""
    origin = typing.get_origin(hint)
    if origin in (Union, types.UnionType):
        # Neither TOML nor a flag has a word for nothing.
        if value is None or value == "none":
            return None
        (inner,) = [a for a in typing.get_args(hint) if a is not type(None)]
        return convert(inner, value, where, least, most)
    if origin is Literal:
        choices = typing.get_args(hint)
        if value in choices:
            return value
        raise InputError(
            f"{where} = {excerpt(str(value))}", expected=f"one of {', '.join(choices)}"
        )
    if hint is bool:
        words = {"true": True, "false": False, "yes": True, "no": False}
        made = value if isinstance(value, bool) else words.get(str(value).lower())
        if made is None:
            raise InputError(f"{where} = {excerpt(str(value))}", expected="true or false")
        return made
    if hint is str:
        if isinstance(value, str):
            return value
        raise InputError(f"{where} = {value!r}", expected="text")
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise InputError(f"{where} = {excerpt(str(value))}", expected=f"a number ({hint.__name__})")
    try:
        number = hint(value)
        fits = number == float(value) < math.inf and least <= number <= most
    except (ValueError, OverflowError):
        fits = False
    if not fits:
        kind = "a whole number" if hint is int else "a number"
        span = f"from {least:g} to {most:g}" if most < math.inf else f"at least {least:g}"
        span = "not negative" if (least, most) == (0, math.inf) else span
        raise InputError(f"{where} = {excerpt(str(value))}", expected=f"{kind}, {span}")
    return number


def nest(flags: dict[tuple[str, ...], Any], over: dict[str, Any]) -> dict[str, Any]:
    """Flags laid over the tables of a TOML file."""
    for path, value in flags.items():
        table = over
        for name in path[:-1]:
            table = table.setdefault(name, {})
            if not isinstance(table, dict):
                raise InputError(f"settings: {name} = {table!r}", expected="a table")
        table[path[-1]] = value
    return over


def laid(*tables: Mapping[str, Any]) -> dict[str, Any]:
    """Tables of settings over each other, the last on top; none of them is changed."""
    made: dict[str, Any] = {}
    for table in tables:
        for key, value in table.items():
            below = made.get(key)
            both = isinstance(value, Mapping) and isinstance(below, Mapping)
            made[key] = laid(below, value) if both and below is not None else value
    return made


def identity(config: Any) -> dict[str, Any]:
    """The settings that decide what comes out, as JSON; the rest may change between calls."""
    found: dict[str, Any] = {}
    for f in dataclasses.fields(config):
        value = getattr(config, f.name)
        if f.metadata["free"] or (f.metadata.get("later") and value == f.default):
            continue
        if isinstance(value, tuple):
            found[f.name] = [identity(each) for each in value]
        elif not dataclasses.is_dataclass(value):
            found[f.name] = value
        elif (inner := identity(value)) or not f.metadata.get("later"):
            found[f.name] = inner
    return found

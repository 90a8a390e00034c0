"""The folder of a report, as the page shows it: checked, and without what is of this machine alone."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ligero.errors import DamagedError, InputError, excerpt
from ligero.report.frontier_page import JSON
from ligero.runs import read_json

# What the page draws where nobody gave it a report.
NOTHING: dict[str, Any] = {"tasks": []}
# Parts of a task and of a point that are shown, with what JSON has for them; sources are folders here.
TASK = {"task": str, "split": str, "title": str, "metric": str, "beside": str, "warnings": list}
POINT = {"name": str, "metric": str, "score": float}
MAYBE = {"relative": float, "ms": float, "bytes": int, "parameters": int}


def read(folder: str | Path) -> dict[str, Any]:
    """What `ligero report` wrote into a folder: {"date", "tasks"}, each task with its points.

    Points are those by the figure that the published ones have too. Raises InputError where there
    is no report, or one that cannot be read.
    """
    path = Path(folder) / JSON
    expected = f"a folder that ligero report wrote, with its {JSON}"
    if not path.is_file():
        found = "no report" if Path(folder).is_dir() else "no such folder"
        raise InputError(found, file=folder, expected=expected)
    try:
        raw = read_json(path)
    except DamagedError as error:
        raise InputError(str(error), expected=expected) from None
    try:
        return {
            "date": _is(raw["date"], str, "date"),
            "tasks": [_task(one) for one in raw["tasks"]],
        }
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        raise InputError(
            f"a report of another form ({error})", file=path, expected=expected
        ) from None


def _task(raw: Mapping[str, Any]) -> dict[str, Any]:
    shown = {name: _is(raw[name], kind, name) for name, kind in TASK.items()}
    shown["warnings"] = [_is(one, str, "warnings") for one in raw["warnings"]]
    own = [_point(one) for one in raw["points"]]
    shown["points"] = [one for one in own if one["metric"] == shown["beside"]]
    shown["published"] = [_point(one) for one in raw["published"]]
    return shown


def _point(raw: Mapping[str, Any]) -> dict[str, Any]:
    shown = {name: _is(raw[name], kind, name) for name, kind in POINT.items()}
    for name, kind in MAYBE.items():
        if raw.get(name) is not None:
            shown[name] = _is(raw[name], kind, name)
            if shown[name] <= 0:
                raise ValueError(f"{name} {shown[name]}")
    if raw.get("interval") is not None:
        low, high = raw["interval"]
        shown["interval"] = [_is(low, float, "interval"), _is(high, float, "interval")]
    return {**shown, "precision": _is(raw.get("precision", ""), str, "precision")}


def _is(value: Any, kind: type, name: str) -> Any:
    """The value, where it is of a kind (a whole number is a number too); else TypeError."""
    right: Any = (int, float) if kind is float else kind
    if not isinstance(value, right) or isinstance(value, bool):
        raise TypeError(f"{name} {excerpt(repr(value))}")
    if kind is float and not math.isfinite(value):
        raise TypeError(f"{name} {value}")
    return value

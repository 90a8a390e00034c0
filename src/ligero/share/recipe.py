"""How a model was trained, in words: the command that repeats it, and the settings that it gives."""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ligero import config
from ligero.share.finished import Finished

_SETTINGS: dict[str, type] = {
    "finetune": config.FinetuneConfig,
    "distill": config.DistillRunConfig,
    "compress": config.CompressConfig,
}


def command(finished: Finished) -> str:
    """The command line that trains this model again; files of one's own stand there as FILE.

    It gives each setting that was not at its default, and no folder of the machine that it ran on.
    """
    data = ["--train", "FILE", "--dev", "FILE", "--test", "FILE"]
    words = ["ligero", finished.command, *([finished.entry.name] if finished.entry else data)]
    for name, value in changed(finished).items():
        words += [name, value]
    return shlex.join(words)


def changed(finished: Finished) -> dict[str, str]:
    """flag -> value of each setting of the run that was not at its default."""
    stated = _stated(finished)
    found = {}
    for option in config.options(_SETTINGS[finished.command]):
        if option.path[0] in ("data", "place", "cache"):
            continue
        value = _at(stated, option.path, option.default)
        if value == option.default or value is None:
            continue
        found[config.flag(option)] = "FILE" if option.path == ("unlabeled",) else public(value)
    return found


def _stated(finished: Finished) -> Mapping[str, Any]:
    """A run's settings as its verb's dataclass has them."""
    begun = finished.stated
    if finished.command != "distill":
        return begun
    unlabelled = begun.get("unlabelled")
    return {
        **begun,
        "student": begun["model"],
        "teacher": ",".join(row["model"] for row in finished.teachers()),
        "unlabeled": unlabelled and "FILE",
        "pool": unlabelled or {},
    }


def _at(stated: Mapping[str, Any], path: tuple[str, ...], default: Any) -> Any:
    """A setting's value; its default where the run was begun before there was such a setting."""
    value: Any = stated
    for name in path:
        if not isinstance(value, Mapping) or name not in value:
            return default
        value = value[name]
    return value


def public(value: Any) -> str:
    """A value as a command line has it, without where things lay on one machine."""
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str):
        return str(value)
    parts = value.split(",")
    return ",".join(Path(p).name if p.startswith(("/", "~", ".")) else p for p in parts)

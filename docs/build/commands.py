"""The reference of the command line, made of the parsers and of the settings' own texts."""

import argparse
import dataclasses
import math
from typing import Any

from ligero import cli, config, flags
from ligero.settings import Option

# What a setting's range says nothing of beyond its type.
_ANY = (0, math.inf)
# Verb -> the dataclass of its settings; other verbs have flags alone.
SETTINGS: dict[str, type] = {
    "compress": config.CompressConfig,
    "suite": config.CompressConfig,
    "finetune": config.FinetuneConfig,
    "distill": config.DistillRunConfig,
    "export": config.ExportConfig,
    "pretrain": config.PretrainConfig,
    "serve": config.ServeConfig,
}


def verbs(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """Name -> parser, for the parser's verbs; none where it has none."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {}


def pages() -> dict[str, str]:
    """Place among the sources -> Markdown: an index, and a page for each verb."""
    known = verbs(cli.parser())
    rows = [
        f"| [`{name}`]({name}.md) | {_cell(made.description)} |" for name, made in known.items()
    ]
    made = {f"reference/commands/{name}.md": _page(name, verb) for name, verb in known.items()}
    made["reference/commands/index.md"] = "\n".join(
        [
            "# Command line", "",
            "`ligero VERB --help` says the same on a terminal. This reference is made of the parsers.", "",
            "| verb | |", "| --- | --- |", *rows, "",
            "Every setting of a verb that trains, exports or serves is a flag (`--fit.epochs`, or `--epochs`",
            "where that is clear) and a key of a TOML file ([recipes](../recipes.md)); flags come over the",
            "file. A wrong name or value is an error in one line before anything begins.", "",
            "Exit codes: 0 done; 1 a failure that is said in one line; 2 what was given cannot be used;",
            "130 stopped from the keyboard. See [errors](../errors.md).", "",
        ]
    )  # fmt: skip
    return made


def _page(name: str, verb: argparse.ArgumentParser) -> str:
    lines = [f"# ligero {name}", "", _sentence(verb.description), ""]
    steps = verbs(verb)
    if not steps:
        lines += _flags(verb)
    for step, parser in steps.items():
        lines += [f"## {name} {step}", "", _sentence(parser.description), "", *_flags(parser)]
    if name in SETTINGS:
        lines += _settings(name, SETTINGS[name])
    return "\n".join(lines)


def _flags(parser: argparse.ArgumentParser) -> list[str]:
    """The parser's usage, and its own arguments; those of settings are told with these."""
    usage = " ".join(parser.format_usage().removeprefix("usage: ").split())
    rows = []
    for action in parser._actions:
        if isinstance(action, argparse._HelpAction) or action.dest.startswith("set "):
            continue
        wants = action.metavar or ("|".join(map(str, action.choices)) if action.choices else "")
        takes = f" {wants}" if action.nargs != 0 and wants else ""
        shown = ", ".join(f"{flag}{takes}" for flag in action.option_strings) or str(wants)
        text = (action.help or "") % {"default": action.default, "prog": parser.prog}
        if action.required and action.option_strings:
            text += " (required)"
        rows.append(f"| {_code(shown or action.dest)} | {_cell(text)} |")
    return ["```text", usage, "```", "", "| argument | |", "| --- | --- |", *rows, ""]


def _settings(name: str, cls: type) -> list[str]:
    """A table for each section of the settings, those that stand in none first, as in a file."""
    sections: dict[str, list[str]] = {"": []}
    for option in config.options(cls):
        if option.path == flags.TASK:
            continue
        default = "" if option.default in (None, "") else _code(str(option.default).lower())
        cells = (_code(config.flag(option)), default, _takes(option, cls), _cell(option.help))
        sections.setdefault(".".join(option.path[:-1]), []).append(f"| {' | '.join(cells)} |")
    lines = ["## Settings", ""]
    if name == "suite":
        lines += ["Those of `compress`, for all tasks of the recipe.", ""]
    for section, rows in sections.items():
        title = f"[{section}]" if section else "Top level"
        heading = ["| flag | default | takes | |", "| --- | --- | --- | --- |"]
        lines += [f"### {title}", "", *heading, *rows, ""] if rows else []
    return lines


def _field(cls: type, path: tuple[str, ...]) -> dataclasses.Field[Any]:
    """The field that a path of settings leads to."""
    fields = {f.name: f for f in dataclasses.fields(cls)}
    found = fields[path[0]]
    if len(path) == 1:
        return found
    return _field(found.default_factory, path[1:])  # type: ignore[arg-type]


def _takes(option: Option, cls: type) -> str:
    """What values a setting has, its range with it."""
    least, most = _field(cls, option.path).metadata["range"]
    if option.metavar in ("N", "X") and (least, most) != _ANY:
        span = f"{least:g} to {most:g}" if most < math.inf else f"{least:g} or more"
        return f"{_code(option.metavar)}, {span}"
    return _code(option.metavar)


def _code(text: str) -> str:
    return f"`{text}`".replace("|", "\\|")


def _cell(text: str | None) -> str:
    return _plain(text or "").replace("|", "\\|")


def _sentence(text: str | None) -> str:
    plain = _plain(text or "")
    return f"{plain[:1].upper()}{plain[1:].removesuffix('.')}."


def _plain(text: str) -> str:
    """What Markdown would read as something else, kept as it is."""
    for sign in "*_<[":
        text = text.replace(sign, f"\\{sign}")
    return text

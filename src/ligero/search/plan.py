"""A search as a recipe says it: what is trained, over which settings, and how the best is chosen."""

import copy
import itertools
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ligero import config
from ligero.config import DistillRunConfig, FinetuneConfig, SearchConfig
from ligero.errors import InputError, excerpt, unknown
from ligero.runs import digest

# Verb of the trials -> its settings.
VERBS: dict[str, type[FinetuneConfig | DistillRunConfig]] = {
    "finetune": FinetuneConfig,
    "distill": DistillRunConfig,
}
# Settings whose values are compared with each other; among all others the best are chosen.
COMPARED = ("data.task", "teacher", "model", "student")
# Characters of a trial's name that say what is tried in it.
SPOKEN = 80

Values = dict[str, Any]


@dataclass(frozen=True)
class Range:
    """Any number from low to high, a whole one where both are; log: as likely in each power of ten."""

    low: float
    high: float
    log: bool = False

    @property
    def whole(self) -> bool:
        """Whether only whole numbers are meant."""
        return isinstance(self.low, int) and isinstance(self.high, int)


Choices = tuple[Any, ...] | Range


@dataclass(frozen=True)
class Trial:
    """One training: its name, what was chosen for it, the group it is compared in, its settings."""

    name: str
    values: Values
    group: Values
    settings: FinetuneConfig | DistillRunConfig


@dataclass(frozen=True)
class Plan:
    """A search. fixed: settings of all trials, as a TOML file has them. over: setting -> what is
    tried. by: the settings of `over` that make groups; each group has a best trial of its own.
    given: setting -> value -> further settings of the trials that have it, as a TOML file has them; a
    setting that is none of the verb's own is a name for these and no more (`variant`). without: what is
    not tried together, of a grid: setting -> one of its values, or several. home: where a folder with
    teachers in it lies, and where it lay first (`outcome.home`)."""

    verb: str
    fixed: Mapping[str, Any]
    over: Mapping[str, Choices]
    search: SearchConfig
    by: tuple[str, ...]
    where: str = "search"
    given: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    without: tuple[Values, ...] = ()
    home: tuple[str, str] = ("", "")

    def groups(self) -> list[Values]:
        """What is compared with each other."""
        return _product({path: self.over[path] for path in self.by})

    def grid(self) -> list[Trial]:
        """All trials of a grid, in the order of the recipe, the last setting varying fastest."""
        trials = [
            self.trial(values)
            for values in _product(self.over)
            if not any(
                all(values[path] in listed(chosen) for path, chosen in entry.items())
                for entry in self.without
            )
        ]
        # Values that are written in two ways (1, 1.0) are one trial.
        return list({trial.name: trial for trial in trials}.values())

    def trial(self, values: Values) -> Trial:
        """The trial of some values; InputError where they are none of the verb's settings."""
        known = {".".join(option.path) for option in config.options(VERBS[self.verb])}
        nested: dict[str, Any] = copy.deepcopy(dict(self.fixed))
        for path, value in values.items():
            nested = config.laid(nested, self.given.get(path, {}).get(str(value), {}))
        paths = {
            tuple(path.split(".")): value
            for path, value in values.items()
            if path in known or path not in self.given
        }
        settings = config.build(VERBS[self.verb], config.nest(paths, nested), self.where)
        said = self.at_home(config.identity(settings))
        identity = [self.verb, said, asdict(settings.data)]
        # No comma, which parts the names of several teachers.
        spoken = "_".join(f"{path.split('.')[-1]}={_short(v)}" for path, v in values.items())
        name = f"{spoken[:SPOKEN]}-{digest(identity)[:8]}".lstrip("-")
        return Trial(name, values, {path: values[path] for path in self.by}, settings)

    def at_home(self, settings: Mapping[str, Any]) -> Values:
        """The same settings with teachers where they lay first, by which trials and claims are named."""
        now, first = self.home
        made = dict(settings)
        if now != first and "teacher" in made:
            names = made["teacher"].split(",")
            made["teacher"] = ",".join(_moved(name, now, first) for name in names)
        return made


def read(recipe: str | Path) -> Plan:
    """The plan of a recipe: settings of `verb`, and tables [search] and [search.over].

    InputError for what is no setting, before anything is trained.
    """
    return make(config.read_toml(recipe), str(recipe))


def make(table: dict[str, Any], where: str, home: tuple[str, str] = ("", "")) -> Plan:
    """As `read`, from the tables of a recipe; where: what errors call it. home: as of the plan."""
    fixed = copy.deepcopy(table)
    verb = fixed.pop("verb", "finetune")
    if verb not in VERBS:
        raise unknown(f"verb in {where}", str(verb), VERBS)
    own = fixed.pop("search", {})
    if not isinstance(own, dict):
        raise InputError(f"search = {own!r}", file=where, expected="a table [search]")
    over, by, given = own.pop("over", {}), own.pop("by", None), own.pop("given", {})
    without = own.pop("without", [])
    if not isinstance(over, dict) or not over:
        raise InputError("nothing to search over", file=where, expected="a table [search.over]")
    search = config.build(SearchConfig, own, f"{where}: search")
    choices = {path: _choices(path, value, where) for path, value in over.items()}
    given = tables(given, where)
    _check_given(given, choices, where)
    check_without(without, over, where)
    compared = [path for path in choices if path in COMPARED] if by is None else list(by)
    for path in compared:
        if not isinstance(choices.get(path), tuple):
            raise InputError(
                f"by = {path!r}", file=where, expected="a setting with a list in [search.over]"
            )
    ranges = [path for path, choice in choices.items() if isinstance(choice, Range)]
    if ranges and search.way == "grid":
        raise InputError(
            f"{ranges[0]}: a range in a grid", file=where,
            expected='a list of values, or way = "adaptive"',
        )  # fmt: skip
    if without and search.way != "grid":
        raise InputError(
            "without = … of an adaptive search", file=where, expected='it with way = "grid" alone'
        )
    plan = Plan(verb, fixed, choices, search, tuple(compared), where, given, tuple(without), home)
    some = {path: _some(choice) for path, choice in choices.items()}
    plan.trial(some)
    for path, values in given.items():
        for value in values:
            # As text, which is how trials look it up.
            plan.trial({**some, path: next(v for v in _listed(choices[path]) if str(v) == value)})
    if search.way == "grid":
        plan.grid()
    return plan


def tables(given: Any, where: str) -> dict[str, dict[str, Values]]:
    """What [search.given] holds: setting -> value -> settings. InputError for anything else."""
    if isinstance(given, dict) and all(
        isinstance(inner, dict) and all(isinstance(table, dict) for table in inner.values())
        for inner in given.values()
    ):
        return given
    raise InputError(
        f"given = {excerpt(str(given))}", file=where,
        expected='tables [search.given."SETTING".VALUE], with settings in them',
    )  # fmt: skip


def _check_given(
    given: Mapping[str, Mapping[str, Any]], choices: Mapping[str, Choices], where: str
) -> None:
    """InputError for settings of what is never tried."""
    for path, values in given.items():
        if path not in choices:
            raise unknown(f"setting in [search.given] of {where}", path, choices)
        choice = choices[path]
        tried = [str(value) for value in choice] if isinstance(choice, tuple) else []
        for value in values:
            if value not in tried:
                raise unknown(f"value of {path} in [search.given] of {where}", value, tried)


def check_without(without: Any, over: Mapping[str, Any], where: str) -> None:
    """InputError for what is no list of tables of values that are tried."""
    if not isinstance(without, list) or not all(isinstance(e, dict) and e for e in without):
        raise InputError(
            f"without = {excerpt(str(without))}", file=where,
            expected='a list of tables, such as [{ model = "a", seed = 1 }]',
        )  # fmt: skip
    for path, chosen in itertools.chain.from_iterable(entry.items() for entry in without):
        if path not in over:
            raise unknown(f"setting in `without` of {where}", path, over)
        tried = over[path]
        for value in listed(chosen):
            if isinstance(tried, list) and value not in tried:
                what = f"value of {path} in `without` of {where}"
                raise unknown(what, str(value), map(str, tried))


def listed(chosen: Any) -> list[Any]:
    """Several values, or one."""
    return chosen if isinstance(chosen, list) else [chosen]


def _choices(path: str, value: Any, where: str) -> Choices:
    """What a recipe says of one setting."""
    if isinstance(value, list) and value and not any(isinstance(v, list | dict) for v in value):
        return tuple(value)
    if isinstance(value, dict) and {"low", "high"} <= value.keys() <= {"low", "high", "log"}:
        low, high, log = value["low"], value["high"], value.get("log", False)
        numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in (low, high))
        if numbers and low < high < math.inf and isinstance(log, bool) and (low > 0 or not log):
            return Range(low, high, log)
    raise InputError(
        f"{path} = {value!r}", file=where,
        expected="a list of values, or { low = …, high = …, log = true }",
    )  # fmt: skip


def _some(choice: Choices) -> Any:
    return choice.low if isinstance(choice, Range) else choice[0]


def _listed(choice: Choices) -> tuple[Any, ...]:
    return choice if isinstance(choice, tuple) else ()


def _product(over: Mapping[str, Choices]) -> list[Values]:
    lists = [choice for choice in over.values() if isinstance(choice, tuple)]
    return [dict(zip(over, values, strict=True)) for values in itertools.product(*lists)]


def _moved(name: str, now: str, first: str) -> str:
    """A path below one folder, as if it were below another; any other path as it is."""
    path = Path(name)
    return str(Path(first) / path.relative_to(now)) if path.is_relative_to(now) else name


def _short(value: Any) -> str:
    """A value as part of a folder's name: of a path its last part."""
    text = f"{value:.3g}" if isinstance(value, float) else Path(str(value)).name
    return re.sub(r"[^\w.+-]", "_", text)

"""A paper's table, trained: every cell of its plan a search, and one's own figures out of them."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from ligero.config import DataConfig
from ligero.papers.own import Value
from ligero.papers.plan import Cell, Plan
from ligero.papers.table import Figure
from ligero.search import outcome
from ligero.search import plan as plans
from ligero.search.drive import Ended, Search, best, run
from ligero.search.outcome import Outcome
from ligero.tasks import catalog, source


@dataclass
class Found:
    """figures: of what was trained, by its names here. reasons: why others are not there. chosen: for
    each trained model its name, what was chosen, and who taught it."""

    figures: dict[Figure, Value] = field(default_factory=dict)
    reasons: dict[Figure, str] = field(default_factory=dict)
    chosen: list[dict[str, Any]] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "figures": [asdict(f) | asdict(v) for f, v in self.figures.items()],
            "missing": [asdict(f) | {"why": why} for f, why in self.reasons.items()],
            "chosen": self.chosen,
        }


def fill(plan: Plan, out: Path, crew: Any, ended: Ended = lambda search, o: None) -> Found:
    """Train what a plan asks for, fine-tuned models first and then their pupils; what came of it.

    Every cell is a search in a folder of its own beneath `out`, so that this goes on after any kill. A
    cell whose data are not at hand, or all of whose trials fail, stays empty, with the reason.
    """
    found = Found()
    here = [cell for cell in plan.cells if not _lacking(cell, found)]
    tuned = {_key(c): _search(c, out, None) for c in here if c.verb == "finetune"}
    run(list(tuned.values()), crew, ended)
    taught: dict[tuple[str, str, str], Search] = {}
    teachers: dict[tuple[str, str, str], str] = {}
    for cell in here:
        if cell.verb != "distill":
            continue
        candidates = [tuned[_key(c)] for c in plan.candidates(cell) if _key(c) in tuned]
        teacher = _teacher(candidates)
        if teacher is None:
            _empty(cell, "no teacher was trained", found)
            continue
        search, chosen = teacher
        taught[_key(cell)] = _search(cell, out, str((search.out / chosen.run).resolve()))
        teachers[_key(cell)] = str(search.plan.fixed["model"])
    run(list(taught.values()), crew, ended)
    searches = tuned | taught
    for cell in here:
        if _key(cell) in searches:
            _read(cell, searches[_key(cell)], teachers.get(_key(cell)), found)
    return found


def _key(cell: Cell) -> tuple[str, str, str]:
    return cell.verb, cell.task, cell.model


def _search(cell: Cell, out: Path, teacher: str | None) -> Search:
    name = "-".join(_key(cell)).replace("/", "-").replace(":", "-")
    home = outcome.home(out) if teacher else ("", "")
    return Search(plans.make(cell.recipe(teacher), name, home), out / name)


def _teacher(candidates: list[Search]) -> tuple[Search, Outcome] | None:
    """Of all runs of all candidates the one of the lowest validation loss (Speedy Gonzales, 3.2)."""
    picks = [(search, best(search.outcomes(), "loss")) for search in candidates]
    known = [(search, pick) for search, pick in picks if pick is not None]
    return max(known, key=lambda pair: pair[1].score("loss") or 0.0, default=None)


def _read(cell: Cell, search: Search, teacher: str | None, found: Found) -> None:
    """A cell's figures: the best of its grid for each seed, and the mean over seeds."""
    ended = search.outcomes()
    picks = [
        pick
        for group in search.plan.groups()
        if (pick := best([o for o in ended if dict(o.group) == group], cell.select)) is not None
    ]
    if not picks:
        notes = sorted({note for o in ended for note in o.notes})
        _empty(cell, f"all {len(ended)} trials failed ({'; '.join(notes[:2])})", found)
        return
    found.chosen += [
        {
            "verb": cell.verb, "model": cell.model, "task": cell.task, "teacher": teacher,
            "values": dict(pick.values), "run": f"{search.out.name}/{pick.run}",
            "dev": pick.dev, "test": pick.test, "seconds": sum(o.seconds for o in ended),
        }
        for pick in picks
    ]  # fmt: skip
    hours = [pick.seconds / 3600 for pick in picks]
    timed = {"hours": fmean(hours)} | ({"hours_sd": stdev(hours)} if len(hours) > 1 else {})
    for figure in _figures(cell):
        if figure.metric in TIMES:
            if figure.metric in timed:
                found.figures[figure] = Value(timed[figure.metric], seeds=len(hours))
            continue
        scores = [pick.test[figure.metric] for pick in picks if pick.test]
        low, high = _interval(picks, figure.metric)
        found.figures[figure] = Value(fmean(scores), low, high, len(scores))


def _interval(picks: list[Outcome], metric: str) -> tuple[float | None, float | None]:
    """The interval of one run's own metric; of several seeds, or of other figures, none is known."""
    if len(picks) > 1 or picks[0].metric != metric or picks[0].interval is None:
        return None, None
    low, high = picks[0].interval
    return low, high


# What a run took: mean over seeds, and standard deviation.
TIMES = ("hours", "hours_sd")


def _figures(cell: Cell) -> Iterator[Figure]:
    """The figures that a cell gives to its table, and to means over other tables."""
    for metric in (*catalog.find(cell.task).metrics, *TIMES):
        yield Figure(cell.verb, cell.model, cell.task, metric)


def _lacking(cell: Cell, found: Found) -> bool:
    """Whether a cell's data are not at hand, which is then noted."""
    settings: Mapping[str, Any] = cell.settings.get("data", {})
    folder, hub = settings.get("folder"), bool(settings.get("hub", False))
    why = source.missing(
        catalog.find(cell.task), DataConfig(task=cell.task, folder=folder, hub=hub)
    )
    if why:
        _empty(cell, why, found)
    return bool(why)


def _empty(cell: Cell, why: str, found: Found) -> None:
    found.reasons |= dict.fromkeys(_figures(cell), why)

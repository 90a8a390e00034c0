"""A search from its recipe to its table: what is missing is done, by this process or many."""

import datetime
import itertools
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ligero import flags
from ligero.errors import BusyError, LigeroError
from ligero.jobs import Job
from ligero.machine import facts
from ligero.runs import publish, sweep, write_json
from ligero.search import adaptive, content, outcome
from ligero.search.content import Made
from ligero.search.outcome import OUTCOME, Outcome
from ligero.search.plan import Plan, Trial, Values
from ligero.search.trial import job

# Seconds between two looks at trials that another process is working on.
PATIENCE = 2.0


class Search:
    """A plan at work in a folder. Any number of them, in any number of processes, may share it."""

    def __init__(self, plan: Plan, out: Path) -> None:
        if plan.search.way == "adaptive" or plan.search.prune:
            # Said at once, and not by each trial as its failure.
            flags.need(("optuna",), "search")
        self.plan, self.out = plan, out
        self._grid = plan.grid() if plan.search.way == "grid" else []
        # Outcomes do not change: each is read once.
        self._known: dict[str, Outcome] = {}
        self._given: set[str] = set()

    def run(self, crew: Any, ended: Callable[[Outcome], None] = lambda o: None) -> None:
        """Bring all trials to an end: see `run`."""
        run([self], crew, lambda search, o: ended(o))

    def total(self) -> int:
        """How many trials there are to be."""
        if self.plan.search.way == "grid":
            return len(self._grid)
        return self.plan.search.trials * len(self.plan.groups())

    def trials(self) -> list[Trial]:
        """Those that are known so far."""
        if self.plan.search.way == "grid":
            return self._grid
        return [t for g in self.plan.groups() for t in adaptive.asked(self.plan, g, self.out)]

    def outcomes(self) -> list[Outcome]:
        """What became of those that have ended."""
        found = [self.outcome(trial.name) for trial in self.trials()]
        return [o for o in found if o is not None]

    def outcome(self, name: str) -> Outcome | None:
        """What became of one; None while it has not ended."""
        if name not in self._known:
            found = outcome.read(self.out, name)
            if found is None:
                return None
            self._known[name] = found
        return self._known[name]

    def complete(self) -> bool:
        """Whether all trials have ended."""
        return len(self.outcomes()) >= self.total()

    def made(self) -> Iterator[Made]:
        """What the trials that have begun or ended were made of."""
        for trial in self.trials():
            ended, place = self.outcome(trial.name), outcome.trials(self.out) / trial.name
            if ended is not None:
                yield Made(outcome.outcomes(self.out) / trial.name, trial.settings, ended.content)
            else:
                yield Made(place, trial.settings, content.of_run(place))

    def begin(self) -> None:
        """Look anew at what is there."""
        if outcome.outcomes(self.out).is_dir():
            sweep(outcome.outcomes(self.out))
        self._given.clear()

    def jobs(self) -> Iterator[Job]:
        """A job for each trial that has not ended, the next one chosen when it is asked for."""
        for trial in self._waiting():
            self._given.add(trial.name)
            made = job(self.plan, trial, self.out)
            # What cannot be read is no outcome.
            shutil.rmtree(made.folder, ignore_errors=True)
            yield made

    def _waiting(self) -> Iterator[Trial]:
        for trial in self.trials():
            if trial.name not in self._given and self.outcome(trial.name) is None:
                yield trial
        if self.plan.search.way == "grid":
            return
        for group in self.plan.groups():
            while (chosen := adaptive.ask(self.plan, group, self.out)) is not None:
                if self.outcome(chosen.name) is None:
                    yield chosen

    def finished(self, done: Job, error: Exception | None) -> Outcome | None:
        """What became of a job's trial; None where another process is working on it."""
        name = done.folder.name
        if isinstance(error, BusyError):
            return None
        if error is not None:
            # A trial whose worker dies (out of memory) is recorded like any other that fails.
            trial = self.plan.trial(done.arguments["values"])
            run = str(outcome.trials(self.out).joinpath(name).relative_to(self.out))
            failed = Outcome(name, trial.values, trial.group, "failed", run, notes=[str(error)])
            with publish(done.folder) as folder:
                write_json(folder / OUTCOME, failed.as_dict())
        return self.outcome(name)


Ended = Callable[[Search, Outcome], None]


def run(searches: Sequence[Search], crew: Any, ended: Ended = lambda search, o: None) -> None:
    """Bring all trials of some searches to an end, together.

    crew: who does jobs (`jobs.Crew`). ended: is told of each trial that ends here. A trial that fails
    is an outcome like any other; one that another process is working on is waited for.

    Raises InputError, before anything is trained, where a trial that is there began with other data,
    models or text than are there now.
    """
    content.check(made for search in searches for made in search.made())
    # By plan and not by folder, which several may share.
    owners = {id(search.plan): search for search in searches}
    told: list[Exception] = []

    def finished(done: Job, error: Exception | None) -> None:
        if error is not None:
            told.append(error)
        search = owners[id(done.arguments["plan"])]
        if (found := search.finished(done, error)) is not None:
            ended(search, found)

    while not all(search.complete() for search in searches):
        for search in searches:
            search.begin()
        jobs = itertools.chain.from_iterable(search.jobs() for search in searches)
        total = sum(search.total() for search in searches)
        told.clear()
        try:
            crew.run(jobs, title="trials", total=total, eager=False, quiet=True, finished=finished)
        except (LigeroError, OSError, RuntimeError) as error:
            if error not in told:
                raise
        if any(isinstance(error, BusyError) for error in told):
            time.sleep(PATIENCE)


def results(searches: Sequence[Search]) -> dict[str, Any]:
    """What searches of one kind have come to, as JSON: all outcomes, and what either rule chooses in
    each group."""
    first = searches[0].plan
    over: dict[str, Any] = {}
    for search in searches:
        for path, choice in search.plan.over.items():
            said = _said(choice)
            known = over.setdefault(path, said)
            if isinstance(known, list):
                over[path] = [*known, *(value for value in said if value not in known)]
    return {
        "verb": first.verb,
        "where": Path(first.where).name,
        "select": first.search.select,
        "way": first.search.way,
        "over": over,
        "by": list(first.by),
        "trials": sum(search.total() for search in searches),
        "groups": [
            _group(group, ended)
            for search in searches
            for ended in [search.outcomes()]
            for group in search.plan.groups()
        ],
        "outcomes": [o.as_dict() for search in searches for o in search.outcomes()],
        "machine": facts(("ligero", "torch", "transformers"), threads=None, device=None),
        "date": datetime.date.today().isoformat(),
    }


def best(outcomes: list[Outcome], select: str) -> Outcome | None:
    """The best of some trials; the first of several that are equal."""
    scored = [(o.score(select), o) for o in outcomes]
    known = [(score, o) for score, o in scored if score is not None and score == score]
    return max(known, key=lambda pair: pair[0])[1] if known else None


def _group(group: Values, ended: list[Outcome]) -> dict[str, Any]:
    """One group: what either rule chooses in it, and what its trials took."""
    mine = [o for o in ended if dict(o.group) == group]
    chosen = {select: best(mine, select) for select in ("metric", "loss")}
    return {
        "group": group,
        "states": {s: sum(o.state == s for o in mine) for s in ("done", "pruned", "failed")},
        "seconds": round(sum(o.seconds for o in mine), 1),
        "best": {select: o.name if o else None for select, o in chosen.items()},
    }


def _said(choice: Any) -> Any:
    return list(choice) if isinstance(choice, tuple) else vars(choice)

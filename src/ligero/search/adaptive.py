"""Which values to try next, and which trials to give up: Optuna, told all anew each time.

The folders are all that a search remembers, so that it may be killed, go on elsewhere or be shared
by several processes; a study is made of them whenever a question is asked, in milliseconds.
"""

import contextlib
import os
import tempfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ligero.errors import DamagedError, LigeroError
from ligero.runs import digest, read_json, write_json
from ligero.search import outcome
from ligero.search.outcome import Outcome
from ligero.search.plan import Choices, Plan, Range, Trial, Values

# Trials that must have ended before one is given up, and evaluations that each is let do.
TRIALS_FIRST, EVALUATIONS_FIRST = 4, 1


class PrunedError(LigeroError):
    """A trial was given up: what it has come to is below the median of those before it."""

    def __init__(self, message: str, metric: str) -> None:
        super().__init__(message)
        self.metric = metric


def asked(plan: Plan, group: Values, out: Path) -> list[Trial]:
    """The trials of a group that have been chosen so far, in the order in which they were."""
    found = []
    for number in range(plan.search.trials):
        try:
            found.append(plan.trial(read_json(_claim(plan, group, out, number))["values"]))
        except (DamagedError, KeyError):
            break
    return found


def ask(plan: Plan, group: Values, out: Path) -> Trial | None:
    """Choose a group's next trial and claim it; None where it has as many as it is to have.

    What is chosen follows from the seed, the trial's number, and the outcomes of those before it.
    """
    before = asked(plan, group, out)
    number = len(before)
    if number >= plan.search.trials:
        return None
    study = _study(plan, before, out, seed=_seed(plan, group, number))
    chosen = study.ask(_distributions(plan, group)).params
    values = {path: group.get(path, chosen.get(path)) for path in plan.over}
    if _write_once(_claim(plan, group, out, number), {"values": values}):
        return plan.trial(values)
    # Another process was quicker.
    return ask(plan, group, out)


def judge(plan: Plan, trial: Trial, out: Path, place: Path) -> Callable[[str], None]:
    """What is told of a trial's evaluations; it raises PrunedError where the trial is to be given up.

    place: the run's folder, whose log holds the evaluations before.
    """
    import optuna

    pruner = optuna.pruners.MedianPruner(TRIALS_FIRST, EVALUATIONS_FIRST)

    def watch(metric: str) -> None:
        others = [o for o in _ended(out) if o.group == trial.group and o.name != trial.name]
        study = optuna.create_study(direction="maximize", pruner=pruner)
        study.add_trials([_frozen(o, plan.search.select, {}, {}) for o in others])
        mine = study.ask()
        scores = _scores(outcome.evaluations(place, metric), plan.search.select)
        for number, score in enumerate(scores):
            mine.report(score, number)
        if scores and mine.should_prune():
            raise PrunedError(
                f"given up after {len(scores)} evaluations: below the median of "
                f"{len(others)} other trials", metric,
            )  # fmt: skip

    return watch


def _ended(out: Path) -> list[Outcome]:
    """All outcomes, by name, so that what follows from them does not depend on the file system."""
    folder = outcome.outcomes(out)
    names = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    found = [outcome.read(out, name) for name in names if not name.endswith(".tmp")]
    return [o for o in found if o is not None]


def _study(plan: Plan, before: Sequence[Trial], out: Path, seed: int) -> Any:
    """All that is known of some trials, those that have not ended as running ones."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sampler = optuna.samplers.TPESampler(seed=seed, multivariate=True)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    for trial in before:
        distributions = _distributions(plan, trial.group)
        params = {path: trial.values[path] for path in distributions}
        if any(
            not distribution._contains(distribution.to_internal_repr(params[path]))
            for path, distribution in distributions.items()
        ):
            continue  # the recipe was narrowed since
        ended = outcome.read(out, trial.name)
        if ended is None:
            running = optuna.trial.TrialState.RUNNING
            study.add_trial(
                optuna.trial.create_trial(state=running, params=params, distributions=distributions)
            )
        else:
            study.add_trial(_frozen(ended, plan.search.select, params, distributions))
    return study


def _frozen(
    ended: Outcome, select: str, params: Mapping[str, Any], distributions: Mapping[str, Any]
) -> Any:
    """An outcome as Optuna has it."""
    import optuna

    states = optuna.trial.TrialState
    state = {"done": states.COMPLETE, "pruned": states.PRUNED, "failed": states.FAIL}[ended.state]
    scores = _scores(ended.evaluations, select)
    value = ended.score(select)
    if ended.state == "pruned":
        value = max(scores, default=None)
    return optuna.trial.create_trial(
        state=state, value=value, params=dict(params), distributions=dict(distributions),
        intermediate_values=dict(enumerate(scores)),
    )  # fmt: skip


def _scores(evaluations: Sequence[Sequence[float]], select: str) -> list[float]:
    """What trials are compared by, of each evaluation."""
    return [-loss if select == "loss" else metric for metric, loss in evaluations]


def _distributions(plan: Plan, group: Values) -> dict[str, Any]:
    """What is to be chosen within a group."""
    return {path: _distribution(c) for path, c in plan.over.items() if path not in group}


def _distribution(choice: Choices) -> Any:
    import optuna

    kinds = optuna.distributions
    if not isinstance(choice, Range):
        return kinds.CategoricalDistribution(choice)
    if choice.whole:
        return kinds.IntDistribution(int(choice.low), int(choice.high), log=choice.log)
    return kinds.FloatDistribution(float(choice.low), float(choice.high), log=choice.log)


def _claim(plan: Plan, group: Values, out: Path, number: int) -> Path:
    """The file that says which values the trial of a number has."""
    # Seed 0 is left out, so that the claims of before it counted stay known.
    seed = [plan.search.seed] if plan.search.seed else []
    key = digest([plan.verb, plan.at_home(plan.fixed), group, sorted(plan.over), *seed])[:8]
    return out / "asked" / f"{key}-{number:05d}.json"


def _write_once(path: Path, value: Any) -> bool:
    """Write a file whole unless it is there already; whether it was written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".") as folder:
        write_json(Path(folder) / path.name, value)
        with contextlib.suppress(FileExistsError):
            os.link(Path(folder) / path.name, path)
            return True
    return False


def _seed(plan: Plan, group: Values, number: int) -> int:
    return zlib.crc32(f"{plan.search.seed} {digest(group)} {number}".encode())

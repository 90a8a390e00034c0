"""One trial as a job: trained, tried again where that may help, and its outcome written down."""

import contextlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ligero.errors import BusyError, DivergedError, InputError
from ligero.jobs import Job
from ligero.runs import write_json
from ligero.search import content, outcome
from ligero.search.adaptive import PrunedError, judge
from ligero.search.outcome import OUTCOME, Outcome
from ligero.search.plan import Plan, Trial, Values

# What diverged is begun once more, with this share of its learning rate.
GENTLER = 1 / 3
AGAIN = "-again"


def job(plan: Plan, trial: Trial, out: Path) -> Job:
    """The job that makes a trial's outcome."""
    arguments = {"plan": plan, "values": trial.values, "out": str(out)}
    return Job(outcome.outcomes(out) / trial.name, "ligero.search.trial:run", arguments)


def run(folder: Path, *, plan: Plan, values: Values, out: str) -> None:
    """Train a trial in OUT/trials, going on where it was, and leave its outcome in `folder`.

    What it has to say on the way goes to NAME.log beside its run. A trial that diverges is begun again at
    a third of its learning rate, and one that fails otherwise goes on once more as it was; what fails
    twice is recorded with its reasons. Raises BusyError alone: another process is working on this trial.
    """
    trial = plan.trial(values)
    said = outcome.trials(Path(out)) / f"{trial.name}.log"
    said.parent.mkdir(parents=True, exist_ok=True)
    # Before it is read: who teaches may be trained anew meanwhile.
    made_of = content.of_teacher(trial.settings)
    with said.open("a", encoding="utf-8") as file, contextlib.redirect_stderr(file):
        ended = _attempts(plan, trial, Path(out))
    made_of |= content.of_run(Path(out) / ended.run)
    write_json(folder / OUTCOME, replace(ended, content=made_of).as_dict())


def _attempts(plan: Plan, trial: Trial, out: Path) -> Outcome:
    """Train once, and once more where that failed."""
    notes: list[str] = []
    suffix, factor = "", 1.0
    for _ in range(2):
        place = outcome.trials(out) / f"{trial.name}{suffix}"
        begun = Outcome(
            trial.name, trial.values, trial.group, "failed", str(place.relative_to(out))
        )
        try:
            settings = _placed(trial.settings, place, factor)
            watch = judge(plan, trial, out, place) if plan.search.prune else None
            results = _train(plan.verb, settings, watch)
        except BusyError:
            raise
        except PrunedError as reason:
            return replace(
                begun, state="pruned", notes=[*notes, str(reason)], metric=reason.metric,
                evaluations=outcome.evaluations(place, reason.metric),
            )  # fmt: skip
        except InputError as error:
            # What cannot be used at all does not get better by a smaller step.
            return replace(begun, notes=[*notes, str(error)])
        except Exception as error:  # whatever it is, the other trials go on
            notes.append(f"{type(error).__name__}: {error}".splitlines()[0])
            if isinstance(error, DivergedError):
                # Another rate would change what comes out of one that failed for reasons of the machine.
                suffix, factor = AGAIN, GENTLER
        else:
            return _done(begun, results, place, notes)
    return replace(begun, notes=notes)


def _done(begun: Outcome, results: Mapping[str, Any], place: Path, notes: list[str]) -> Outcome:
    """The outcome of a run that came to its end. The model it is about is the last of its results."""
    *_, row = results["models"].values()
    metric, scored = results["metric"], results["scored"]
    return replace(
        begun, state="done", metric=metric, dev=row["dev"], test=row[scored], scored=scored,
        interval=row["interval"].get(metric), parameters=row["parameters"],
        seconds=row["seconds"] + row["prepared_seconds"], notes=notes,
        evaluations=outcome.evaluations(place, metric),
    )  # fmt: skip


def _placed(settings: Any, place: Path, factor: float) -> Any:
    """A trial's settings with its folder, and with that share of its learning rate."""
    settings = replace(settings, place=replace(settings.place, out=str(place)))
    if factor == 1.0:
        return settings
    from ligero.models.reference import resolve
    from ligero.train import stages

    model = getattr(settings, "student", None) or settings.model
    rate = factor * stages.peak(settings.fit, resolve(model))
    return replace(settings, fit=replace(settings.fit, learning_rate=rate))


def _train(verb: str, settings: Any, watch: Any) -> Mapping[str, Any]:
    from ligero import compress

    verbs: dict[str, Any] = {"finetune": compress.finetune, "distill": compress.distill}
    found: Mapping[str, Any] = verbs[verb](settings, watch)
    return found

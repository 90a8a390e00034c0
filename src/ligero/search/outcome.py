"""What became of trials: read from their folders, which are all that a search remembers.

OUT/trials/NAME      an ordinary run, which `ligero export` takes
OUT/outcomes/NAME    outcome.json, published when the trial has ended, well or not
OUT/home.json        where OUT lay when trials were first named after a folder within it
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from ligero.errors import DamagedError
from ligero.runs import LOG, MANIFEST, read_json, write_json

OUTCOME = "outcome.json"
HOME = "home.json"
State = Literal["done", "pruned", "failed"]


@dataclass(frozen=True)
class Outcome:
    """How a trial ended.

    name, values, group: as of the trial. run: its folder, relative to the search's. metric: the
    task's. dev, test: figures in percent and the loss; None where it did not get so far. scored: the
    split that `test` is of. interval: 95% of the metric on it. evaluations: metric and loss of each
    evaluation. seconds: of training, and of
    what went before it (a teacher's reading). notes: why it failed, was begun again or was given up.
    content: hashes of what it was made of (`content.py`), as far as they are known.
    """

    name: str
    values: Mapping[str, Any]
    group: Mapping[str, Any]
    state: State
    run: str
    metric: str = ""
    dev: Mapping[str, float] | None = None
    test: Mapping[str, float] | None = None
    scored: str = ""
    interval: Sequence[float] | None = None
    evaluations: Sequence[Sequence[float]] = ()
    parameters: int = 0
    seconds: float = 0.0
    notes: Sequence[str] = ()
    content: Mapping[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    def score(self, select: str) -> float | None:
        """By which trials are compared, higher is better: the metric on dev, or minus its loss."""
        if self.state != "done" or self.dev is None:
            return None
        return -self.dev["loss"] if select == "loss" else self.dev[self.metric]


def trials(out: Path) -> Path:
    """Where the runs of a search lie."""
    return out / "trials"


def outcomes(out: Path) -> Path:
    """Where what became of them lies."""
    return out / "outcomes"


def home(out: Path) -> tuple[str, str]:
    """Where a search's folder lies, and where it lay when this was first asked.

    Trials are named after the latter, so that a folder that is moved knows its own again.
    """
    now = str(out.resolve())
    if not (out / HOME).is_file():
        write_json(out / HOME, {"home": now})
    return now, str(read_json(out / HOME)["home"])


def read(out: Path, name: str) -> Outcome | None:
    """What became of a trial; None while it has not ended, or where what is there is damaged."""
    folder = outcomes(out) / name
    if not (folder / MANIFEST).is_file():
        return None
    try:
        return Outcome(**read_json(folder / OUTCOME))
    except (DamagedError, TypeError):
        return None


def evaluations(run: Path, metric: str) -> list[tuple[float, float]]:
    """Metric and loss of each evaluation that a run has logged so far."""
    return [(float(e[metric]), float(e["loss"])) for e in logged(run)]


def logged(run: Path) -> list[dict[str, float]]:
    """All figures of each evaluation that a run has logged so far."""
    found = []
    try:
        lines = (run / LOG).read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    for line in lines:
        try:
            figures = json.loads(line).get("evaluation")
        except ValueError:
            continue  # the last line of a run that was killed
        if figures:
            found.append(figures)
    return found

"""What is known of a trained model that is to be shared: from its own folders, and nothing else."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ligero.errors import InputError
from ligero.models import catalog, hub
from ligero.models import reference as models
from ligero.models.catalog import Architecture
from ligero.runs import read_json, verify
from ligero.runtime.card import Card, is_exported
from ligero.share import licences
from ligero.tasks import catalog as tasks
from ligero.tasks.catalog import Entry

# The task's side of a model's folder. `train/trained.py` writes it, and would bring torch along.
TASK_CARD = "ligero.json"
EXPORT = "export"
# What `tasks/source.py` says of files that are not the catalog's.
OWN_DATA = "your own data"


@dataclass(frozen=True, kw_only=True)
class Finished:
    """A trained model, exported or not, and what its run wrote down.

    model, export: its folders; one of the two may be None. kind, labels, window, decoding: as a
    trained model has them. config: its `config.json`. parameters: how many it has. results: the
    run's `results.json`; command, begun, version: the verb that trained it, what that began with,
    and the ligero that ran. start, stated: what the weights began with and, where a whole compression
    is shared, the same as that compression's settings. All of these are empty without a run.
    """

    model: Path | None
    export: Path | None
    kind: str
    labels: tuple[str, ...]
    window: int
    decoding: str
    config: Mapping[str, Any]
    parameters: int
    results: Mapping[str, Any] = field(default_factory=dict)
    command: str = ""
    begun: Mapping[str, Any] = field(default_factory=dict)
    stated: Mapping[str, Any] = field(default_factory=dict)
    version: str = ""

    @property
    def row(self) -> Mapping[str, Any]:
        """The model's own figures among the run's results."""
        rows = list(self.results.get("models", {}).values())
        return rows[-1] if rows else {}

    @property
    def entry(self) -> Entry | None:
        """The catalog's task that it learned, if it was one of the catalog's."""
        found = tasks.TASKS.get(self.results.get("task", ""))
        # A file of one's own may be called as a task is.
        own = self.results.get("licence") == OWN_DATA
        return found if found and found.kind == self.kind and not own else None

    @property
    def title(self) -> str:
        """What the data are called; "" where they are not known."""
        if self.entry:
            return self.entry.title
        name = self.results.get("title") or self.results.get("task")
        return f"own data ({name})" if name else ""

    @property
    def scores(self) -> dict[str, float]:
        """The model's figures on what it was scored on, in percent, the task's first one first."""
        if not self.row:
            return {}
        scored = self.row[self.results["scored"]]
        return {name: scored[name] for name in self.results["conventions"]["ligero"]}

    def interval(self, figure: str) -> str:
        """The 95% interval of a figure in words; "" where there is none."""
        found = self.row["interval"].get(figure)
        return f"{found[0]:.2f} to {found[1]:.2f}" if found else ""

    @property
    def architecture(self) -> Architecture | None:
        """The catalog's model whose weights it started with, if it was one of the catalog's."""
        if self.begun.get("weights") is None:
            return None
        return catalog.MODELS.get(self.begun.get("model", ""))

    @property
    def data_licence(self) -> str:
        """The terms of the data as their publisher states them; "" where they are not known."""
        return self.entry.licence if self.entry else ""

    def licence(self) -> str:
        """The licence that follows for the weights; InputError where none does."""
        terms = {}
        if not self.begun:
            raise InputError(
                "no run that says what this model was trained on",
                expected="--license with that of the weights, such as apache-2.0, cc-by-4.0, other",
            )
        if self.begun["weights"] is not None:
            known = self.architecture
            start = Path(self.begun["model"]).name
            terms[f"the weights it started with, {start}"] = known.licence if known else ""
        terms[f"the data, {self.results['task']}"] = self.data_licence
        return licences.derived(terms)

    def teachers(self) -> Iterator[Mapping[str, Any]]:
        """The rows of results of the models that taught it."""
        for name, row in self.results.get("models", {}).items():
            if name.startswith("teacher"):
                yield row


def find(place: str, export: str | None = None, *, with_export: bool = True) -> Finished:
    """What is to be shared: a finished run, a model's folder, or an exported folder.

    export: an exported folder of the same model that lies elsewhere; the run's own, where there is
    one and none is given. with_export: False for the model alone.

    Raises InputError where there is nothing to share, or an export of another model; DamagedError
    where something is not as it was written.
    """
    folder = Path(place).expanduser()
    if not folder.is_dir():
        raise InputError(
            "a file" if folder.exists() else "no such folder", file=place,
            expected="a finished run, a model's folder, or what ligero export made",
        )  # fmt: skip
    if is_exported(folder):
        if export or not with_export:
            raise InputError("an exported folder with --export or --no-export", file=place)
        return _exported(folder)
    model = models.finished(folder)
    hub.locate(model)
    told = _task_card(model)
    exported = _export_of(folder, export) if with_export else None
    if exported:
        card = Card.read(exported)
        if (card.kind, card.labels) != (told["kind"], tuple(told["labels"])):
            raise InputError("an export of another model", file=exported, expected=str(model))
    run = {} if model == folder else _run(folder, model.parent)
    return Finished(
        model=model, export=exported, kind=told["kind"], labels=tuple(told["labels"]),
        window=told["window"], decoding=told.get("decoding", "independent"),
        config=hub.read_json(model / hub.CONFIG), parameters=_parameters(model), **run,
    )  # fmt: skip


def _exported(folder: Path) -> Finished:
    card = Card.read(folder)
    run = folder.parent
    known = folder.name == EXPORT and (run / "results.json").is_file()
    return Finished(
        model=None, export=folder, kind=card.kind, labels=card.labels, window=card.window,
        decoding=card.decoding, config=card.model["config"], parameters=card.model["parameters"],
        **(_run(run, models.finished(run).parent) if known else {}),
    )  # fmt: skip


def _task_card(model: Path) -> dict[str, Any]:
    if not (model / TASK_CARD).is_file():
        raise InputError(
            f"no {TASK_CARD}", file=model, expected="a model that ligero fine-tuned or distilled"
        )
    told: dict[str, Any] = read_json(model / TASK_CARD)
    return told


def _export_of(folder: Path, export: str | None) -> Path | None:
    if export is None:
        return folder / EXPORT if is_exported(folder / EXPORT) else None
    return Path(export).expanduser()


def _run(folder: Path, inner: Path) -> dict[str, Any]:
    """What a run wrote down. inner: the run of the model itself, which in a compression is another."""
    verify(folder)
    whole, own = read_json(folder / hub.CONFIG), read_json(inner / hub.CONFIG)
    return {
        "results": read_json(folder / "results.json"),
        "command": whole["command"],
        "begun": own["identity"],
        "stated": whole["identity"],
        "version": whole["ligero"],
    }


def _parameters(model: Path) -> int:
    """How many numbers the weights hold, by their headers."""
    from safetensors import safe_open

    total = 0
    for file in model.glob("*.safetensors"):
        with safe_open(file, framework="numpy") as weights:
            names = list(weights.keys())
            total += sum(math.prod(weights.get_slice(name).get_shape()) for name in names)
    return total

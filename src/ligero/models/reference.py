"""What a person may call a model, resolved: a catalog name, a folder, a run, or a hub id."""

from dataclasses import dataclass
from pathlib import Path

from ligero.errors import InputError, unknown
from ligero.models import catalog
from ligero.models.catalog import Architecture
from ligero.runs import MANIFEST

# Where a run keeps its finished model, and a compression the student that one wants of it.
MODEL_FOLDER = "model"
STUDENT_FOLDER = "student"

# Weights that come with ligero: a folder for each model, as transformers reads it.
RELEASED = Path(__file__).parent / "released"


@dataclass(frozen=True)
class Reference:
    """A model before it is loaded.

    name: as the person gave it. architecture: its entry in the catalog, if it has one. weights: a
    folder or a hub id (`org/name`, `org/name@revision`); None when it starts at random. layers: how
    many of its layers are kept; None for all.
    """

    name: str
    architecture: Architecture | None = None
    weights: str | None = None
    layers: int | None = None

    @property
    def is_random(self) -> bool:
        """Whether it starts without weights."""
        return self.weights is None


def resolve(name: str) -> Reference:
    """The model that `name` stands for; InputError with the nearest known names otherwise.

    `NAME:random` is the shape of a catalog entry without its published weights.
    """
    if not name:
        # As a path it would be the current directory.
        raise InputError("a model without a name", expected="a name, a folder, or a hub id")
    plain, _, start = name.partition(":")
    if start not in ("", "random"):
        raise InputError(f"the model {name!r}", expected=f"{plain} or {plain}:random")
    if plain in catalog.MODELS:
        found = catalog.MODELS[plain]
        if start:
            return Reference(name, found)
        if found.released:
            return Reference(name, found, str(RELEASED / (found.cut_from or plain)), found.layers)
        if found.hub is None:
            return Reference(name, found)
        hub = found.hub if found.revision is None else f"{found.hub}@{found.revision}"
        return Reference(name, found, hub, found.layers)
    if Path(name).exists():
        return Reference(name, weights=str(finished(Path(name))))
    if name.count("/") == 1 and not name.startswith((".", "/", "~")):
        return Reference(name, weights=name)
    raise unknown("model", name, catalog.MODELS)


def finished(folder: Path) -> Path:
    """The model's folder within a run, or within a compression; any other folder is itself one."""
    for inner in (STUDENT_FOLDER, MODEL_FOLDER):
        if (folder / inner).is_dir():
            if not (folder / MANIFEST).exists():
                raise InputError(
                    "a run that is not finished", file=folder,
                    expected="a finished one: start it again with its own command, it continues",
                )  # fmt: skip
            return finished(folder / inner)
    return folder

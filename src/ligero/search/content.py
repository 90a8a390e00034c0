"""What trials were made of, by hashes, and whether that is what is there now.

A trial is named by its settings, and these say where things lie and not what they hold. A run refuses to
go on with other content than it began with; a search asks the same of all its trials before it trains.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

from ligero.config import DataConfig, DistillRunConfig, FinetuneConfig, PoolConfig
from ligero.errors import DamagedError, InputError, LigeroError, excerpt
from ligero.models import hub
from ligero.models.reference import resolve
from ligero.runs import MANIFEST, digest, is_published, read_json
from ligero.tasks import source
from ligero.tasks.source import Task

Settings = FinetuneConfig | DistillRunConfig


class Made(NamedTuple):
    """A trial that has begun or ended: where that is written, its settings, and the hashes of what it
    was made of."""

    folder: Path
    settings: Settings
    content: Mapping[str, str]


def of_run(run: Path) -> dict[str, str]:
    """Hashes of the data, the first weights and the text without labels that a run began with, as it
    says itself; none where there is no such run."""
    try:
        begun = read_json(run / "config.json")["identity"]
    except (DamagedError, KeyError):
        return {}
    found = {name: begun.get(name) for name in ("data", "weights")}
    found["unlabelled"] = begun.get("unlabelled", {}).get("examples")
    return {name: value for name, value in found.items() if value}


def of_teacher(settings: Settings) -> dict[str, str]:
    """The hash of who teaches a trial. A run has another one, which takes the loaded weights."""
    found = _teacher(settings.teacher) if isinstance(settings, DistillRunConfig) else None
    return {"teacher": found} if found else {}


def check(made: Iterable[Made]) -> None:
    """InputError where a trial was made of something else than what is there now.

    What is on the hub is not looked at, and what is no longer there contradicts nothing. Each thing is
    read once, and only where some trial knows what it was made of.
    """
    here = _reader()
    # Data by data, of which only one is held at a time.
    for one in sorted(made, key=lambda one: repr(one.settings.data)):
        for name, was in one.content.items():
            if here(name, one.settings) not in (None, was):
                raise InputError(
                    f"a trial that began before {_said(name, one.settings)} changed",
                    file=one.folder, expected="what was there then, or another --out",
                )  # fmt: skip


def _reader() -> Callable[[str, Settings], str | None]:
    """What hashes an input of a trial as it is now; None for what is not there, or not looked at."""
    weights, teacher, task = cache(_weights), cache(_teacher), lru_cache(maxsize=1)(_task)

    @cache
    def data(config: DataConfig) -> str | None:
        found = task(config)
        return found.digest if found else None

    @cache
    def text(named: str, config: DataConfig, pool: PoolConfig) -> str | None:
        found = task(config)
        return _text(named, found, pool) if found else None

    def read(name: str, settings: Settings) -> str | None:
        if name == "data":
            return data(settings.data)
        if name == "weights":
            return weights(_begins_as(settings))
        if isinstance(settings, DistillRunConfig):
            if name == "teacher":
                return teacher(settings.teacher)
            if name == "unlabelled" and settings.unlabeled:
                return text(settings.unlabeled, settings.data, settings.pool)
        return None

    return read


def _task(config: DataConfig) -> Task | None:
    try:
        return source.load(config)
    except (LigeroError, OSError):
        return None


def _text(named: str, task: Task, pool: PoolConfig) -> str | None:
    # With torch, which nothing else here needs.
    from ligero.train.unlabelled import gather

    try:
        return gather(named, task, pool).digest()
    except (LigeroError, OSError):
        return None


def _weights(name: str) -> str | None:
    """The hash of a model's folder, as runs have it."""
    folder = _folder(name)
    return hub.fingerprint(folder) if folder else None


def _teacher(named: str) -> str | None:
    """One hash of one teacher or several, of what their manifests say, which costs a trial nothing."""
    names = [named] if Path(named).exists() else [name.strip() for name in named.split(",")]
    hashes = []
    for folder in map(_folder, names):
        if folder is None:
            return None
        try:
            known = is_published(folder)
            files = digest(read_json(folder / MANIFEST)["files"]) if known else None
        except (DamagedError, KeyError):
            return None
        hashes.append(files or hub.fingerprint(folder))
    return digest(hashes)


def _folder(name: str) -> Path | None:
    """Where a model lies; None where it has no weights, or none on this machine."""
    try:
        weights = resolve(name).weights if name else None
    except InputError:
        return None
    folder = Path(weights).expanduser() if weights else None
    return folder if folder and folder.is_dir() else None


def _begins_as(settings: Settings) -> str:
    """The model that is trained."""
    return settings.model if isinstance(settings, FinetuneConfig) else settings.student


def _said(name: str, settings: Settings) -> str:
    """An input of a trial, in words."""
    if name == "weights":
        return f"the model {excerpt(_begins_as(settings))}"
    if isinstance(settings, DistillRunConfig):
        if name == "teacher":
            return f"the teacher {excerpt(settings.teacher, 200)}"
        if name == "unlabelled":
            return f"the text without labels ({settings.unlabeled})"
    return f"the data ({settings.data.task or settings.data.train})"

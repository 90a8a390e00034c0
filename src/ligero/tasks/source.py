"""Where a task's examples come from: the catalog's files in a local folder, or one's own files."""

import hashlib
import os
from dataclasses import dataclass, replace
from pathlib import Path

from ligero.config import DataConfig
from ligero.errors import InputError, excerpt
from ligero.runs import digest
from ligero.tasks import catalog, formats, kinds
from ligero.tasks.example import Split
from ligero.tasks.kinds.kind import Kind, Labels

DATA_VARIABLE = "LIGERO_DATA"

# Where no validation data are given, every tenth text of train is set aside for it.
DEV_SHARE = 10


@dataclass(frozen=True)
class Task:
    """Labelled data ready for training.

    notes: sentences that a person should read before training begins.
    scored: the name of the split that final scores are of, "test" where there is one.
    """

    name: str
    title: str
    kind: Kind
    labels: Labels
    train: Split
    dev: Split
    test: Split
    licence: str
    notes: tuple[str, ...]
    scored: str = "test"

    @property
    def metric(self) -> str:
        """The figure by which models are compared on this task."""
        return self.kind.metric(self.labels)

    @property
    def digest(self) -> str:
        """A hash of every text and label of all splits."""
        splits = (self.train, self.dev, self.test)
        # Split by split: an example that moves from one to another makes other data.
        content = [
            [[e.texts, e.words, {k: list(v) for k, v in e.gold.items()}] for e in split.examples]
            for split in splits
        ]
        return digest([self.kind.name, self.labels, content])


def load(config: DataConfig) -> Task:
    """The task that `config` names or whose files it gives; InputError says what is wrong."""
    own = [name for name in ("train", "dev", "test") if getattr(config, name)]
    if config.task and own:
        raise InputError(
            f"both a task ({config.task}) and files of your own (--{own[0]})",
            expected="one or the other",
        )
    if config.task:
        return _from_catalog(catalog.find(config.task), config)
    if not config.train:
        raise InputError(
            "neither a task nor training data",
            expected="the name of a task (ligero tasks lists them) or --train FILE",
        )
    splits = {n: formats.read(getattr(config, n), config.format, config.encoding) for n in own}
    stem = Path(config.train).stem
    return _task(stem, Path(config.train).name, splits, config, licence="your own data")


def listing(folder: str | None) -> tuple[list[str], list[list[str]]]:
    """Heading and rows of the known tasks, with what is present beneath the data folder."""
    root = folder or os.environ.get(DATA_VARIABLE)
    rows = []
    for entry in catalog.TASKS.values():
        try:
            present = bool(root) and all(_files(Path(str(root)), entry).values())
        except InputError:
            present = False
        counts = " / ".join(f"{entry.counts[name]:,}" for name in entry.files)
        at_hand = "at hand" if present else entry.source
        rows.append([entry.name, entry.title, entry.kind, counts, entry.licence, at_hand])
    return ["task", "", "kind", "examples", "licence", "files"], rows


def check_labels(split: Split, kind: Kind, labels: Labels, source: str) -> None:
    """InputError, with file and line, for a label that is not among `labels` (those of `source`)."""
    for example in split.examples:
        for choice in kind.choices:
            for unit, label in enumerate(example.gold.get(choice.name, ())):
                if label is not None and label not in labels:
                    raise InputError(
                        f"the label {excerpt(label)}",
                        file=split.file,
                        line=example.line + (unit if choice.units == "words" else 0),
                        expected=f"one of those in {source}: {excerpt(', '.join(labels), 200)[1:-1]}",
                    )


def _from_catalog(entry: catalog.Entry, config: DataConfig) -> Task:
    root = config.folder or os.environ.get(DATA_VARIABLE)
    if not root:
        raise InputError(
            f"no folder to take {entry.title} from",
            expected=f"--folder DIR or {DATA_VARIABLE}=DIR with {entry.folder}/{entry.files['train'][0]} "
            f"in it; get it from {entry.source}; licence: {entry.licence}",
        )
    splits, notes = {}, []
    for name, path in _files(Path(root), entry).items():
        if path is None:
            raise InputError(
                f"no {' or '.join(entry.files[name])}",
                file=_folder(Path(root), entry),
                expected=f"the {name} file of {entry.title}; get it from {entry.source}; "
                f"licence: {entry.licence}",
            )
        splits[name] = formats.read(path, entry.format, config.encoding)
        count, whole = len(splits[name].examples), entry.counts.get(name)
        if whole is not None and count != whole:
            notes.append(f"{path}: {count:,} examples, where the complete file has {whole:,}")
    task = _task(entry.name, entry.title, splits, config, licence=entry.licence)
    said = (entry.note,) if entry.note else ()
    return replace(task, notes=(*said, *notes, *task.notes))


def _files(root: Path, entry: catalog.Entry) -> dict[str, Path | None]:
    """split -> its file, under whichever of its names it is there; None where it is missing."""
    folder = _folder(root, entry)
    return {
        split: next((folder / name for name in names if (folder / name).exists()), None)
        for split, names in entry.files.items()
    }


def _folder(root: Path, entry: catalog.Entry) -> Path:
    tried = [root / entry.folder, root / "glues" / entry.folder]
    for folder in tried:
        if folder.is_dir():
            return folder
    raise InputError(
        f"no folder {entry.folder}",
        file=root,
        expected=f"the files of {entry.title}; get them from {entry.source}; licence: {entry.licence}",
    )


def _task(
    name: str, title: str, splits: dict[str, Split], config: DataConfig, *, licence: str
) -> Task:
    # What holds of every file alike is said once.
    notes = list(dict.fromkeys(note for split in splits.values() for note in split.notes))
    train = splits["train"]
    kind = kinds.find(train.kind)
    scored = "test"
    for other in splits.values():
        if other.kind != train.kind:
            raise InputError(
                f"data of kind {other.kind}", file=other.file,
                expected=f"the kind of the training data, {train.kind} ({train.file})",
            )  # fmt: skip
    if "dev" not in splits:
        train, splits["dev"] = _set_aside(train)
        notes.append(
            f"no validation data: {len(splits['dev'].examples)} of the training examples serve for it"
        )
    if "test" not in splits:
        splits["test"], scored = splits["dev"], "dev"
        notes.append(
            "no test data: final scores are of the validation data, on which models were chosen"
        )
    if config.limit is not None:
        train = replace(train, examples=train.examples[: config.limit])
    labels = kind.labels(train.examples)
    if len(labels) < 2:
        raise InputError(
            f"only the label {excerpt(labels[0])}" if labels else "no label",
            file=train.file, expected="at least two labels to choose from",
        )  # fmt: skip
    for split in (splits["dev"], splits["test"]):
        check_labels(split, kind, labels, train.file)
    notes += _leaks(train, splits, scored)
    return Task(
        name, title, kind, labels, train, splits["dev"], splits["test"], licence, tuple(notes), scored
    )  # fmt: skip


def _set_aside(train: Split) -> tuple[Split, Split]:
    """Train without, and only, the tenth whose text's hash says so: the same texts in every run."""
    chosen = [
        int(hashlib.sha256("\t".join(e.texts).encode()).hexdigest(), 16) % DEV_SHARE == 0
        for e in train.examples
    ]
    if not any(chosen) or all(chosen):
        raise InputError(
            f"{len(train.examples)} examples", file=train.file,
            expected="enough to set some aside for validation, or --dev FILE",
        )  # fmt: skip
    kept = tuple(e for e, c in zip(train.examples, chosen, strict=True) if not c)
    aside = tuple(e for e, c in zip(train.examples, chosen, strict=True) if c)
    return replace(train, examples=kept), replace(train, examples=aside)


def _leaks(train: Split, splits: dict[str, Split], scored: str) -> list[str]:
    """Texts of the scored split that the model has seen in training."""
    seen = {e.texts for e in train.examples}
    split = splits[scored]
    known = sum(e.texts in seen for e in split.examples)
    if not known:
        return []
    share = 100 * known / len(split.examples)
    return [
        f"{known} of the {len(split.examples):,} texts of {scored} ({share:.1f}%) are also in train"
    ]

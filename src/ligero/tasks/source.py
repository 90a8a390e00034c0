"""Where a task's examples come from: the catalog's files in a local folder, or one's own files."""

import hashlib
import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from ligero.config import DataConfig
from ligero.errors import InputError, excerpt
from ligero.runs import digest, sha256
from ligero.tasks import catalog, formats, kinds, remote
from ligero.tasks.example import Example, Split
from ligero.tasks.kinds.kind import Kind, Labels

DATA_VARIABLE = "LIGERO_DATA"
SPLITS = ("train", "dev", "test")

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
            [
                [e.texts, e.words, {k: list(v) for k, v in e.gold.items()}, e.answers]
                for e in split.examples
            ]
            for split in splits
        ]
        return digest([self.kind.name, self.labels, content])


def load(config: DataConfig) -> Task:
    """The task that `config` names or whose files it gives; InputError says what is wrong."""
    own = [name for name in SPLITS if getattr(config, name)]
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
    splits = {name: read(getattr(config, name), config) for name in own}
    stem = Path(config.train).stem
    return _task(stem, Path(config.train).name, splits, config, licence="your own data")


def read(file: str, config: DataConfig, kind: str | None = None) -> Split:
    """A file of one's own, here or on the hub, as `config` says how to read it.

    kind: what it is wanted for, where `config` does not say.
    """
    path = str(remote.fetch(file)) if remote.is_remote(file) else file
    return formats.read(path, config.format, config.encoding, config.kind or kind)


def load_split(config: DataConfig, name: str) -> Split:
    """One split of the catalog's task that `config` names; its other files need not be there."""
    entry = catalog.find(config.task or "")
    if name not in entry.files:
        raise InputError(
            f"no {name} file of {entry.title}", expected=f"one of {', '.join(entry.files)}"
        )
    return _read(entry, name, config)


def listing(folder: str | None) -> tuple[list[str], list[list[str]]]:
    """Heading and rows of the known tasks, with what is present beneath the data folder."""
    root = folder or os.environ.get(DATA_VARIABLE)
    rows = []
    for entry in catalog.TASKS.values():
        missing = [name for name in entry.files if local(root, entry, name) is None]
        counts = " / ".join(
            f"{entry.counts[name]:,}" if name in entry.counts else "?" for name in entry.files
        )
        at_hand = "at hand"
        if missing:
            at_hand = (
                entry.source if len(missing) == len(entry.files) else f"no {', '.join(missing)}"
            )
        rows.append([entry.name, entry.title, entry.kind, counts, entry.licence, at_hand])
    return ["task", "", "kind", "examples", "licence", "files"], rows


def check_labels(split: Split, kind: Kind, labels: Labels, source: str) -> list[str]:
    """InputError, with file and line, for a label that is not among `labels` (those of `source`).

    For kinds whose labels are not closed, sentences that say how many there are: they count as
    wrong.
    """
    strange: Counter[str] = Counter()
    for example in split.examples:
        for choice in kind.choices:
            if choice.options != "labels":
                continue
            for unit, label in enumerate(example.gold.get(choice.name, ())):
                if label is None or label in labels:
                    continue
                strange[label] += 1
                if kind.closed:
                    # Where a word stands beyond its example's first line depends on the format.
                    at = f" of word {unit + 1}" if choice.units == "words" else ""
                    raise InputError(
                        f"the label {excerpt(label)}{at}",
                        file=split.file,
                        line=example.line,
                        expected=f"one of those in {source}: {excerpt(', '.join(labels), 200)[1:-1]}",
                    )
    if all(choice.options == "words" for choice in kind.choices):
        # No unit carries a label, but some examples need one: questions without an answer.
        for label in set(kind.labels(split.examples)) - set(labels):
            strange[label] = sum(label in kind.labels([e]) for e in split.examples)
    return [
        f"{Path(split.file).name}: {label} ({count:,}) does not occur in "
        f"{Path(source).name}; counted as wrong"
        for label, count in strange.most_common()
    ]


def remarks(split: Split) -> list[str]:
    """What a person should know of a file: how it was read, and what was dropped or repaired."""
    counts = Counter((change.action, change.reason) for change in split.changes)
    changed = [
        f"{Path(split.file).name}: {count:,} {action}: {reason}"
        for (action, reason), count in counts.items()
    ]
    return [*split.notes, *changed]


def _from_catalog(entry: catalog.Entry, config: DataConfig) -> Task:
    splits, notes = {}, []
    for name in entry.files:
        splits[name] = split = _read(entry, name, config)
        count, whole = len(split.examples), entry.counts.get(name)
        if whole is not None and count != whole:
            notes.append(
                f"{Path(split.file).name}: {count:,} examples, where the complete file has {whole:,}"
            )
    if entry.drop_ids_of:
        leaked = splits[entry.drop_ids_of]
        for name in [name for name in splits if name != entry.drop_ids_of]:
            splits[name], dropped = _without(splits[name], leaked)
            notes.append(
                f"{dropped:,} examples of {name} dropped: their ids are in {entry.drop_ids_of}"
            )
    task = _task(entry.name, entry.title, splits, config, licence=entry.licence)
    said = (entry.note,) if entry.note else ()
    return replace(task, notes=(*said, *notes, *task.notes))


def _read(entry: catalog.Entry, name: str, config: DataConfig) -> Split:
    """One split of a task of the catalog, its labels by the catalog's names."""
    path = find_file(entry, name, config)
    split = formats.read(path, entry.format, config.encoding, entry.kind)
    if not entry.aliases:
        return split
    return replace(split, examples=tuple(_renamed(e, entry.aliases) for e in split.examples))


def missing(entry: catalog.Entry, config: DataConfig) -> str | None:
    """What a task lacks to be loaded, and where to get it, without this machine's folders; or None."""
    root = config.folder or os.environ.get(DATA_VARIABLE)
    lacking = [
        " or ".join(names)
        for name, names in entry.files.items()
        if local(root, entry, name) is None
        and not (config.hub and entry.hub is not None and name in entry.hub.files)
    ]
    if not lacking:
        return None
    return f"no {', '.join(lacking)}; get them from {entry.source}; licence: {entry.licence}"


def find_file(entry: catalog.Entry, name: str, config: DataConfig) -> Path:
    """A split's file, here or fetched from the hub; InputError says where it could come from."""
    root = config.folder or os.environ.get(DATA_VARIABLE)
    path = local(root, entry, name)
    if path is not None:
        return path
    place = "" if entry.folder == "." else f"{entry.folder}/"
    wanted = " or ".join(place + file for file in entry.files[name])
    if entry.hub is not None and name in entry.hub.files:
        if config.hub:
            return remote.fetch(entry.hub.address(name), entry.hub.sha256.get(name))
        more = f", or --hub true fetches it from the hub ({entry.hub.repository})"
    else:
        more = ""
    if not root:
        raise InputError(
            f"no folder to take {entry.title} from",
            expected=f"--data DIR or {DATA_VARIABLE}=DIR with {wanted} in it{more}; "
            f"get it from {entry.source}; licence: {entry.licence}",
        )
    raise InputError(
        f"no {wanted}",
        file=root,
        expected=f"the {name} file of {entry.title}{more}; get it from {entry.source}; "
        f"licence: {entry.licence}",
    )


def local(root: str | None, entry: catalog.Entry, name: str) -> Path | None:
    """A split's file beneath the data folder (or its `glues/`), under whichever name it is there."""
    if not root:
        return None
    places = [Path(root) / entry.folder, Path(root) / "glues" / entry.folder]
    tried = [place / file for place in places for file in entry.files[name]]
    return next((path for path in tried if path.is_file()), None)


def known_copy(entry: catalog.Entry, path: Path) -> bool | None:
    """Whether a file is, to the byte, a copy that the catalog knows; None if it knows none."""
    known = entry.checksums.get(path.name)
    return None if not known else sha256(path) in known


def _renamed(example: Example, aliases: Mapping[str, str]) -> Example:
    gold = {
        name: tuple(None if label is None else aliases.get(label, label) for label in labels)
        for name, labels in example.gold.items()
    }
    return replace(example, gold=gold)


def _without(split: Split, other: Split) -> tuple[Split, int]:
    """A split without the examples whose ids the other has, and how many those were."""
    ids = {e.id for e in other.examples}
    kept = tuple(e for e in split.examples if e.id not in ids)
    return replace(split, examples=kept), len(split.examples) - len(kept)


def _task(
    name: str, title: str, splits: dict[str, Split], config: DataConfig, *, licence: str
) -> Task:
    # What holds of every file alike is said once.
    notes = list(dict.fromkeys(note for split in splits.values() for note in remarks(split)))
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
        train, splits["dev"] = _set_aside(train, kind)
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
    if len(labels) < kind.fewest:
        raise InputError(
            f"only the label {excerpt(labels[0])}" if labels else "no label",
            file=train.file, expected=f"at least {kind.fewest} to choose from",
        )  # fmt: skip
    for held in ("dev", "test")[: 1 + (scored == "test")]:
        notes += check_labels(splits[held], kind, labels, train.file)
    notes += _leaks(train, splits, scored)
    return Task(
        name, title, kind, labels, train, splits["dev"], splits["test"], licence, tuple(notes), scored
    )  # fmt: skip


def _set_aside(train: Split, kind: Kind) -> tuple[Split, Split]:
    """Train without, and only, the tenth whose text's hash says so: the same texts in every run.

    What shares a context or a premise stays together.
    """
    chosen = [
        int(hashlib.sha256(kind.group(e).encode()).hexdigest(), 16) % DEV_SHARE == 0
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
    examples = splits[scored].examples
    known = sum(e.texts in seen for e in examples)
    if not known:
        return []
    share = 100 * known / len(examples)
    return [f"{known} of the {len(examples):,} texts of {scored} ({share:.1f}%) are also in train"]

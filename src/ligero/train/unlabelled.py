"""Text without labels, which a teacher alone labels, in any amount.

It is read in the order of its content's hashes, so that neighbouring documents are mixed, copies lie
side by side and are dropped, and a limit leaves an even sample. An epoch takes as much of it as its ratio
says and goes on where the one before it stopped; only what an epoch needs is cut into sub-words and
labelled, a chunk at a time, and every chunk's scores are kept with those of the labelled examples.
"""

import contextlib
import heapq
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from ligero import flags
from ligero.config import PoolConfig
from ligero.errors import InputError, excerpt
from ligero.runs import digest
from ligero.tasks import formats, passages
from ligero.tasks.example import Example
from ligero.tasks.source import Task
from ligero.train.features import Features
from ligero.train.teacher import Entry, example_digest

# Examples that are labelled together, and whose scores share a file.
CHUNK = 2048

Label = Callable[[Sequence[Example]], list[Entry]]


@dataclass(frozen=True)
class Unlabelled:
    """Examples without labels, and how they are used."""

    examples: Sequence[Example]
    config: PoolConfig

    def digest(self) -> str:
        """What they are."""
        return digest([example_digest(e) for e in self.examples])


def gather(named: str, task: Task, config: PoolConfig) -> Unlabelled:
    """The examples of some files, in the order of their hashes, without the task's own sentences.

    named: one file, several with commas, a folder of them, or a corpus's folder. A file that is as the
    task's own has its examples as they are, unless a text of one is all the task's; of raw text only other
    sentences become examples.

    Raises InputError for files that cannot be read, and where they hold nothing of use.
    """
    found = heapq.nsmallest(
        config.limit,
        ((example_digest(e), n, e) for n, e in enumerate(_all(named, task, config))),
    )
    unlike: dict[str, Example] = {}
    for key, _, example in found:
        unlike.setdefault(key, example)
    if not unlike:
        raise InputError(
            "no text without labels that the task does not have already", file=named,
            expected="raw Spanish text, or files as the task's own",
        )  # fmt: skip
    return Unlabelled(list(unlike.values()), config)


def _all(named: str, task: Task, config: PoolConfig) -> Iterable[Example]:
    # The corpus's readers ask for libraries that no other training does.
    flags.need(("polars",), "corpus")
    from ligero.corpus import read

    splits = (task.train, task.dev, task.test)
    texts = {text for split in splits for example in split.examples for text in example.texts}
    known = {sentence for text in texts for sentence in passages.said(text)}
    for name in _files(named):
        if _is_labelled(name, task.kind.name):
            # Its labels are not looked at.
            for example in formats.read(name, kind=task.kind.name).examples:
                if not any(passages.said(text) <= known for text in example.texts):
                    yield replace(example, gold={}, answers=None)
        else:
            for frame in read.frames([name], config.text_field):
                yield from passages.examples(frame["text"], task.kind, task.train.examples, known)


def _files(named: str) -> list[str]:
    """The files of some names. What has no ending of a reader's (README.md) is none of a folder's."""
    whole = Path(named)
    if named and whole.is_dir():
        corpus = whole.glob("text/part-*/text.parquet")
        found = [*corpus] or [p for p in whole.iterdir() if p.is_file() and any(_ends(p))]
        return sorted(map(str, found))
    names = [named] if named and whole.exists() else [name.strip() for name in named.split(",")]
    if "" in names:
        raise InputError(
            f"an empty name in --unlabeled {excerpt(named)}", expected="files, with commas between"
        )
    return names


def _is_labelled(name: str, kind: str) -> bool:
    """Whether a file is as a task's own, by its name, or by how it begins where its name is of neither
    or of both."""
    labelled, raw = _ends(Path(name))
    return formats.claims(name, kind) if labelled == raw else labelled


def _ends(path: Path) -> tuple[bool, bool]:
    """Whether a file's name ends as those of labelled examples, and as those of raw text."""
    from ligero.corpus import read

    raw = False
    with contextlib.suppress(InputError):
        raw = bool(read.kind(path))
    return path.suffix.lower() in formats.ENDINGS, raw


class Pool:
    """Examples without labels, ready for a student."""

    def __init__(
        self, source: Unlabelled, label: Label, features: Callable[[Sequence[Example]], Features]
    ) -> None:
        """label: a teacher's scores of some examples. features: how the student reads them.

        Examples of which the teacher is not sure enough are left out; all are then labelled at once.
        InputError where none is left.
        """
        self.examples, self.ratio, self._features = source.examples, source.config.ratio, features
        confidence, examples = source.config.confidence, source.examples
        # The chunk at which an epoch ends is the one at which the next begins. Nothing in it refers to
        # the pool: all of a training, its models too, would else outlive it.
        self._labelled = lru_cache(maxsize=2)(lambda start: label(examples[start : start + CHUNK]))
        self.kept = np.arange(len(examples))
        if confidence:
            sure = [confidence_of(self._entry(i)) >= confidence for i in range(len(examples))]
            self.kept = np.flatnonzero(sure)
            if not len(self.kept):
                raise InputError(
                    f"no text of {len(examples):,} of which the teacher is as sure as {confidence}",
                    expected="a lower --pool.confidence",
                )

    def take(self, start: int, count: int) -> tuple[Features, list[Entry]]:
        """`count` examples from number `start` on, as the student reads them, and their scores.

        Beyond the last comes the first again.
        """
        chosen = [int(self.kept[n % len(self.kept)]) for n in range(start, start + count)]
        return self._features([self.examples[i] for i in chosen]), [self._entry(i) for i in chosen]

    def _entry(self, number: int) -> Entry:
        return self._labelled(number - number % CHUNK)[number % CHUNK]


def confidence_of(entry: Entry) -> float:
    """How sure a teacher is of an example: the highest probability of each unit, mean over all."""
    chances = [
        1 / np.exp(scores - scores.max(axis=-1, keepdims=True)).sum(axis=-1)
        for scores in entry.values()
        if len(scores)
    ]
    return float(np.concatenate(chances).mean()) if chances else 0.0

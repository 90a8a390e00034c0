"""A teacher's outputs, computed once: one entry for each example (for each word, where the kind
has words), shared by all runs.

The key of a cache is what its content follows from: the teacher's weights, its tokenizer and
window, and the task's labels and examples. Batch size, order and seed are not among them, so they
may change freely; a changed weight, label or text never meets an old entry.
"""

import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import load_file, save_file
from tokenizers import Tokenizer

from ligero.errors import DamagedError
from ligero.models.weights import weights_hash
from ligero.runs import digest, publish, sweep, verify
from ligero.tasks.example import Example
from ligero.train.features import Features
from ligero.train.progress import Progress
from ligero.train.scorer import score
from ligero.train.trained import Trained

# Examples in one file: small enough that a kill or a damaged file costs seconds, not the whole.
SHARD = 2048

Entry = dict[str, np.ndarray]


def example_digest(example: Example) -> str:
    """What an example is, apart from its name and its place: texts, words, gold labels and answers."""
    gold = {name: list(labels) for name, labels in sorted(example.gold.items())}
    return digest([example.texts, example.words, gold, example.answers])


def cache_key(weights: str, tokenizer: str, features: Features, digests: Sequence[str]) -> str:
    """The name of a cache. It does not depend on the order of the examples.

    weights, tokenizer: hashes of the teacher's. digests: `example_digest` of each example.
    """
    return digest(
        {
            "weights": weights,
            "tokenizer": tokenizer,
            "kind": features.kind.name,
            "labels": features.labels,
            "window": features.window,
            "examples": sorted(digests),
        }
    )


class TeacherCache:
    """Scores of one teacher on one set of examples, kept under `folder`/`key`.

    computed: entries that this object had to compute; the others were read.
    """

    def __init__(self, folder: Path, key: str, say: Callable[[str], None]) -> None:
        self.path, self.say, self.computed = folder / key[:32], say, 0

    def entries(
        self,
        model: torch.nn.Module,
        features: Features,
        digests: Sequence[str],
        advance: Callable[[int], None] = lambda n: None,
    ) -> list[Entry]:
        """choice -> scores [units, options] for each example of `features`, in its order.

        advance: called with the number of examples that were finished.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        sweep(self.path)
        # Equal examples share an entry; the order of digests fixes which shard holds which.
        first = {d: i for i, d in reversed(list(enumerate(digests)))}
        names = sorted(first)
        found: dict[str, Entry] = {}
        for start in range(0, len(names), SHARD):
            part = names[start : start + SHARD]
            ids = np.asarray([first[d] for d in part])
            entries = self._read(start // SHARD, part)
            if entries is None:
                entries = [dict(features.kind.beliefs(s)) for s in score(model, features, ids)]
                self.computed += len(entries)
                self._write(start // SHARD, part, entries)
            found.update(zip(part, entries, strict=True))
            advance(len(part))
        return [found[d] for d in digests]

    def _shard(self, number: int) -> Path:
        return self.path / f"shard-{number:05d}"

    def _read(self, number: int, names: Sequence[str]) -> list[Entry] | None:
        path = self._shard(number)
        if not path.exists():
            return None
        try:
            if verify(path).get("examples") == digest(list(names)):
                return _unpack(load_file(path / "scores.safetensors"), len(names))
            self.say(f"{path}: holds other examples than its name promises; computed again")
        except (DamagedError, OSError) as error:
            # Where it is gone, another process has just found the same.
            if path.exists():
                self.say(f"teacher outputs are damaged and computed again ({error})")
        shutil.rmtree(path, ignore_errors=True)
        return None

    def _write(self, number: int, names: Sequence[str], entries: Sequence[Entry]) -> None:
        shard, examples = self._shard(number), digest(list(names))
        try:
            # Nobody's whole shard is replaced: others may be reading it.
            with publish(shard, replace=False, examples=examples) as place:
                save_file(_pack(entries), place / "scores.safetensors")
        except OSError:
            # Another process was faster, and what it made of the same things serves as well.
            if self._read(number, names) is None:
                raise


class Teachers:
    """Those who teach a student, one or several, with the cache of what they say.

    made_by: what their scores follow from, besides the examples.
    """

    def __init__(self, teachers: Sequence[Trained], space: str, folder: Path) -> None:
        """space: in which several are averaged, as `average` has it. folder: of the caches."""
        self._teachers, self._space, self._folder = teachers, space, folder
        self._hashes = [
            (weights_hash(t.model), tokenizer_hash(t.tokenizer), t.window) for t in teachers
        ]
        self.made_by = digest(self._hashes[0] if len(self._hashes) == 1 else self._hashes)

    def read(self, examples: Sequence[Example], progress: Progress) -> list[Entry]:
        """Their scores of some examples, and a word on how they were come by."""
        count = len(self._teachers) * len({example_digest(e) for e in examples})
        with progress.counting("examples read by the teacher", count) as advance:
            told, computed = self._told(examples, progress.note, advance)
        progress.note(
            f"teacher outputs: {count - computed:,} from the cache, {computed:,} computed"
        )
        return told

    def label(self, examples: Sequence[Example], say: Callable[[str], None]) -> list[Entry]:
        """The same, without a word unless something is wrong with the cache."""
        return self._told(examples, say, lambda count: None)[0]

    def _told(
        self,
        examples: Sequence[Example],
        say: Callable[[str], None],
        advance: Callable[[int], None],
    ) -> tuple[list[Entry], int]:
        """Their scores, and how many were not in the cache."""
        digests = [example_digest(e) for e in examples]
        told, computed = [], 0
        for teacher, (weights, tokenizer, _) in zip(self._teachers, self._hashes, strict=True):
            read = teacher.features(examples)
            outputs = TeacherCache(self._folder, cache_key(weights, tokenizer, read, digests), say)
            told.append(outputs.entries(teacher.model, read, digests, advance))
            computed += outputs.computed
        return average(told, self._space), computed


def tokenizer_hash(tokenizer: Tokenizer) -> str:
    """SHA-256 of a tokenizer's definition."""
    return digest(tokenizer.to_str())


def average(teachers: Sequence[Sequence[Entry]], space: str) -> list[Entry]:
    """Several teachers as one: the mean of their scores, example by example.

    teachers: entries of each, for the same examples. space: "logits", the scores themselves, or
    "probabilities", of whose mean the logarithms are given. An option that a unit does not have stays
    at -inf, and so does in the former space what one of them rules out.
    """
    if len(teachers) == 1:
        return list(teachers[0])
    mean = {"logits": _mean, "probabilities": _mean_of_probabilities}[space]
    return [
        {name: mean([e[name] for e in entries]) for name in entries[0]}
        for entries in zip(*teachers, strict=True)
    ]


def _mean(scores: Sequence[np.ndarray]) -> np.ndarray:
    return np.asarray(np.mean(scores, axis=0, dtype=np.float32))


def _mean_of_probabilities(scores: Sequence[np.ndarray]) -> np.ndarray:
    """Logarithm of the mean softmax over the last axis."""
    logs = []
    for each in scores:
        shifted = each - each.max(axis=-1, keepdims=True, initial=-np.inf)
        logs.append(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)))
    with np.errstate(invalid="ignore"):
        found = np.logaddexp.reduce(logs, axis=0) - np.log(len(logs))
    return np.asarray(found, dtype=np.float32)


def _pack(entries: Sequence[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """All entries' scores end to end, and the shape of each: options may differ between examples."""
    packed = {}
    for name in entries[0]:
        scores = [np.asarray(e[name], dtype=np.float32) for e in entries]
        packed[f"{name}.scores"] = np.concatenate([s.ravel() for s in scores])
        packed[f"{name}.shapes"] = np.asarray([s.shape for s in scores], dtype=np.int64)
    return packed


def _unpack(packed: Mapping[str, np.ndarray], count: int) -> list[Entry]:
    entries: list[Entry] = [{} for _ in range(count)]
    for name in (key.removesuffix(".scores") for key in packed if key.endswith(".scores")):
        shapes = packed[f"{name}.shapes"]
        ends = np.cumsum(shapes.prod(axis=1))
        parts = np.split(packed[f"{name}.scores"], ends[:-1])
        for entry, part, shape in zip(entries, parts, shapes, strict=True):
            entry[name] = part.reshape(shape)
    return entries

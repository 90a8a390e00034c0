"""Shards of sub-words: a corpus as one tokenizer reads it, in arrays that are mapped, not loaded.

    folder/
      tokenizer/tokenizer.json     the tokenizer that the ids are of
      part-NNNNN/
        tokens.npy                 ids end to end, uint16, or uint32 for 65,537 entries or more
        words.npy                  one bit for each: whether it begins a word (packed, lowest first)
        lines.npy                  where each line begins, and the end: uint64 [lines + 1]
        documents.npy              where each document begins, and the end: uint64 [documents + 1]
        shapes.npy                 the shape of each one's word, uint8; where asked for
        manifest.json              size and SHA-256 of each
      results.json                 what all of them hold
      manifest.json

No special tokens are stored, and nothing stands for the end of a line: what a window needs of both
depends on what a model is trained on. A word is what the tokenizer's pre-tokenizer gives: what white
space, signs and borders of numbers leave together. Its shape is what `tasks/word_shapes.py` finds in
the text, a line being a text. Reading needs numpy alone.
"""

import itertools
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ligero import runs
from ligero.errors import DamagedError, InputError
from ligero.jobs import Job, Workers
from ligero.tasks import word_shapes

TOKENIZER = "tokenizer"
COUNTS = "counts.json"
ARRAYS = ("tokens", "words", "lines", "documents")
SHAPES = "shapes"
_LINES = 4096  # encoded at a time: what the library holds of each sub-word is some 200 bytes


def build(
    corpus: str | Path,
    tokenizer: str | Path,
    out: str | Path,
    workers: int | None = None,
    say: Callable[[str], None] = lambda text: None,
    *,
    case: bool = False,
) -> dict[str, Any]:
    """Cut the text of a finished corpus (`build.build`) into shards in the run folder `out`.

    tokenizer: a tokenizer folder as transformers reads it. case: with the shapes of words. Returns
    what `results.json` holds. What was interrupted is continued; with another corpus or tokenizer
    the folder is refused.

    Raises InputError for a corpus that is not finished, a tokenizer that cannot be read, and for
    shapes beside one that keeps case, or of a corpus that does not.
    """
    corpus, out = Path(corpus), Path(out)
    if not runs.is_published(corpus):
        raise InputError(
            "no finished corpus", file=corpus, expected="what ligero corpus build left"
        )
    text = tokenizer_json(tokenizer)
    if case:
        _check_case(corpus, text)
    identity = {
        "corpus": runs.sha256(corpus / runs.MANIFEST),
        "tokenizer": runs.digest(text),
        **({"case": True} if case else {}),
    }
    with runs.Run(out, "shards", identity) as run, Workers(workers, say) as crew:
        if not run.is_complete(say):
            run.finish(_all(corpus, text, run.path, crew, case))
        return run.results()


def _check_case(corpus: Path, tokenizer: str) -> None:
    from tokenizers import Tokenizer

    word_shapes.check(Tokenizer.from_str(tokenizer))
    config = corpus / "config.json"
    begun = runs.read_json(config)["identity"] if config.is_file() else {}
    if begun.get("settings", {}).get("cleaning", {}).get("lowercase"):
        raise InputError(
            "a corpus in lower case, without word shapes (case)", file=corpus,
            expected="one built without --lowercase",
        )  # fmt: skip


def _all(corpus: Path, tokenizer: str, out: Path, crew: Workers, case: bool) -> dict[str, Any]:
    runs.sweep(out)
    with runs.publish(out / TOKENIZER) as folder:
        (folder / "tokenizer.json").write_text(tokenizer, encoding="utf-8")
    file = str(out / TOKENIZER / "tokenizer.json")
    parts = sorted((corpus / "text").glob("part-*"))
    jobs = [
        Job(
            out / part.name, f"{__name__}:write_shard",
            {"part": str(part), "tokenizer": file, "case": case},
        )
        for part in parts
    ]  # fmt: skip
    crew.run(jobs, "shards")
    for path in out.glob(".*.tmp"):  # what killed workers left half-written
        shutil.rmtree(path, ignore_errors=True)
    counts = [runs.read_json(out / part.name / COUNTS) for part in parts]
    total: Counter[str] = Counter()
    for count in counts:
        total.update(count)
    return {
        "tokenizer": runs.digest(tokenizer),
        **({SHAPES: list(word_shapes.NAMES)} if case else {}),
        **total,
        "shards": [{"name": p.name, **c} for p, c in zip(parts, counts, strict=True)],
    }


def tokenizer_json(name: str | Path) -> str:
    """The `tokenizer.json` of a tokenizer folder or of a model that comes with ligero, or what transformers
    makes of other files.

    Raises InputError when there is none.
    """
    from ligero.models import reference

    folder = Path(name)
    if not folder.exists():
        weights = reference.resolve(str(name)).weights
        if weights is None or not Path(weights).is_dir():
            raise InputError(f"no folder {name}", expected="a tokenizer's folder")
        folder = Path(weights)
    file = folder / "tokenizer.json"
    if file.is_file():
        return file.read_text(encoding="utf-8")
    from ligero.models.build import load_tokenizer

    return load_tokenizer(folder).to_str()


def write_shard(folder: Path, part: str, tokenizer: str, case: bool = False) -> None:
    """A job: the shard of one part of a corpus."""
    import polars as pl
    from tokenizers import Tokenizer

    model = Tokenizer.from_file(tokenizer)
    model.no_truncation()
    model.no_padding()
    texts = pl.read_parquet(Path(part) / "text.parquet", columns=["text"])["text"]
    split = texts.str.split("\n")
    ids, begins, lengths, shapes = _encoded(model, split.explode().to_list(), case)
    lines = _offsets(lengths)
    documents = lines[_offsets(split.list.len().to_numpy())]
    dtype = np.uint16 if model.get_vocab_size() <= 1 << 16 else np.uint32
    np.save(folder / "tokens.npy", ids.astype(dtype))
    np.save(folder / "words.npy", np.packbits(begins, bitorder="little"))
    np.save(folder / "lines.npy", lines)
    np.save(folder / "documents.npy", documents)
    if case:
        np.save(folder / f"{SHAPES}.npy", shapes)
    counts = {
        "tokens": len(ids),
        "words": int(begins.sum()),
        "lines": len(lengths),
        "documents": len(texts),
    }
    runs.write_json(folder / COUNTS, counts)


def _encoded(
    model: Any, lines: Sequence[str], case: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Ids of all lines, end to end; which of them begin a word; how many each line has; the shapes
    of their words, if wanted."""
    ids, begins, shapes = [np.empty(0, np.uint32)], [np.empty(0, bool)], [np.empty(0, np.uint8)]
    lengths: list[int] = []
    for start in range(0, len(lines), _LINES):
        texts = lines[start : start + _LINES]
        encoded = model.encode_batch(texts, add_special_tokens=False)
        some = [len(encoding) for encoding in encoded]
        lengths += some
        total = sum(some)
        chain = itertools.chain.from_iterable
        ids.append(np.fromiter(chain(e.ids for e in encoded), np.uint32, total))
        # A sub-word without a word (a special token written out in the text) is one of its own.
        words = np.fromiter(
            (-1 if word is None else word for word in chain(e.word_ids for e in encoded)),
            np.int64,
            total,
        )
        first = np.ones(total, dtype=bool)
        first[1:] = (words[1:] != words[:-1]) | (words[1:] < 0)
        first[_offsets(some)[:-1][np.array(some, dtype=np.int64) > 0]] = True
        begins.append(first)
        if case:
            found = (
                word_shapes.find(text, e.offsets) for text, e in zip(texts, encoded, strict=True)
            )
            shapes.append(np.fromiter(chain(found), np.uint8, total))
    return (
        np.concatenate(ids),
        np.concatenate(begins),
        np.array(lengths, dtype=np.int64),
        np.concatenate(shapes),
    )


def _offsets(lengths: Sequence[int] | np.ndarray) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.uint64)


@dataclass(frozen=True)
class Window:
    """Successive sub-words of a corpus: ids [n], which of them begin what (bool [n]), and the
    shapes of their words (uint8 [n]; None where the shards have none)."""

    ids: np.ndarray
    words: np.ndarray
    lines: np.ndarray
    documents: np.ndarray
    shapes: np.ndarray | None = None


class Shards:
    """The sub-words of a corpus by number, from 0 to `tokens`, whichever shard holds them.

    folder: what `build` made. tokenizer: a tokenizer folder that the ids must be of, if given.
    case: whether it has the shapes of words.

    Opening checks that every file is there with its size and its array's shape; `verify` reads
    every byte. Raises DamagedError when that does not hold, InputError for another tokenizer and
    for a folder that holds no finished shards.
    """

    def __init__(self, folder: str | Path, tokenizer: str | Path | None = None) -> None:
        self.folder = Path(folder)
        if not runs.is_published(self.folder) or not (self.folder / "results.json").is_file():
            raise InputError("no finished shards", file=self.folder)
        manifest = runs.read_json(self.folder / runs.MANIFEST)
        _check_sizes(self.folder, manifest)
        held = runs.read_json(self.folder / "results.json")
        self.tokenizer: str = held["tokenizer"]
        self.tokens: int = held["tokens"]
        self.documents: int = held["documents"]
        self.case = SHAPES in held
        if held.get(SHAPES, list(word_shapes.NAMES)) != list(word_shapes.NAMES):
            raise InputError(
                f"shards with the word shapes {', '.join(held[SHAPES])}", file=self.folder,
                expected=", ".join(word_shapes.NAMES),
            )  # fmt: skip
        self._shards: list[dict[str, Any]] = held["shards"]
        self._starts = _offsets([shard["tokens"] for shard in self._shards]).astype(np.int64)
        self._arrays = lru_cache(maxsize=64)(self._open)
        for number in range(len(self._shards)):
            self._arrays(number)
        if tokenizer is not None and not self._is_of(tokenizer_json(tokenizer)):
            raise InputError(
                f"shards of another tokenizer than {tokenizer}", file=self.folder,
                expected=f"the one in {self.folder / TOKENIZER}",
            )  # fmt: skip

    def __len__(self) -> int:
        """Sub-words of the whole corpus."""
        return self.tokens

    def windows(self, length: int) -> int:
        """How many windows of `length` sub-words there are, the last of which may be shorter."""
        return -(-self.tokens // length)

    def window(self, index: int, length: int) -> Window:
        """The sub-words from `index * length` on, `length` of them (fewer at the very end).

        Raises IndexError for an index that is not in `range(windows(length))`.
        """
        if not 0 <= index < self.windows(length):
            raise IndexError(f"window {index} of {self.windows(length)}")
        return self.span(index * length, min((index + 1) * length, self.tokens))

    def span(self, start: int, stop: int) -> Window:
        """The sub-words from number `start` to before `stop`."""
        if not 0 <= start < stop <= self.tokens:
            raise IndexError(f"sub-words {start} to {stop} of {self.tokens}")
        pieces = []
        number = int(np.searchsorted(self._starts, start, side="right")) - 1
        while start < stop:
            here, after = int(self._starts[number]), int(self._starts[number + 1])
            if start < after:
                pieces.append(self._piece(number, start - here, min(stop, after) - here))
                start = min(stop, after)
            number += 1
        names = ("ids", "words", "lines", "documents", *([SHAPES] if self.case else []))
        return Window(*(np.concatenate([getattr(p, name) for p in pieces]) for name in names))

    def document(self, index: int) -> tuple[int, int]:
        """Numbers of the first sub-word of the document `index`, and of the one after its last."""
        if not 0 <= index < self.documents:
            raise IndexError(f"document {index} of {self.documents}")
        for number, shard in enumerate(self._shards):
            if index < shard["documents"]:
                start, stop = self._arrays(number)["documents"][index : index + 2]
                return int(self._starts[number]) + int(start), int(self._starts[number]) + int(stop)
            index -= shard["documents"]
        raise AssertionError("the shards hold fewer documents than their sum")

    def verify(self) -> None:
        """Read every byte; DamagedError names the file that is not what was written."""
        runs.verify(self.folder)

    def _is_of(self, text: str) -> bool:
        """Whether the ids are those of a tokenizer's JSON, however it is written."""
        if runs.digest(text) == self.tokenizer:
            return True
        own = (self.folder / TOKENIZER / "tokenizer.json").read_text(encoding="utf-8")
        return _plain(text) == _plain(own) != ""

    def _piece(self, number: int, start: int, stop: int) -> Window:
        arrays = self._arrays(number)
        low = start // 8
        bits = np.unpackbits(arrays["words"][low : -(-stop // 8)], bitorder="little")
        words = bits[start - 8 * low : stop - 8 * low].astype(bool)
        lines, documents = (_marks(arrays[n], start, stop) for n in ("lines", "documents"))
        shapes = np.array(arrays[SHAPES][start:stop]) if self.case else None
        return Window(np.array(arrays["tokens"][start:stop]), words, lines, documents, shapes)

    def _open(self, number: int) -> dict[str, np.ndarray]:
        shard = self._shards[number]
        folder = self.folder / shard["name"]
        names = (*ARRAYS, SHAPES) if self.case else ARRAYS
        try:
            arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in names}
        except (OSError, ValueError) as error:
            raise DamagedError(f"{folder}: not readable ({error})") from None
        lengths = {
            "tokens": shard["tokens"], "words": -(-shard["tokens"] // 8),
            "lines": shard["lines"] + 1, "documents": shard["documents"] + 1,
            SHAPES: shard["tokens"],
        }  # fmt: skip
        for name, array in arrays.items():
            if array.shape != (lengths[name],):
                raise DamagedError(
                    f"{folder / name}.npy: {array.shape} where ({lengths[name]},) was written"
                )
        return arrays


def _plain(text: str) -> str:
    """A tokenizer's JSON as the library writes it, without window and padding; "" for none."""
    from tokenizers import Tokenizer

    try:
        made = Tokenizer.from_str(text)
    except Exception:  # the library raises nothing narrower
        return ""
    made.no_truncation()
    made.no_padding()
    return made.to_str()


def _marks(offsets: np.ndarray, start: int, stop: int) -> np.ndarray:
    """Which of the sub-words from `start` to `stop` stand at one of ascending `offsets`: bool."""
    low, high = np.searchsorted(offsets, np.array([start, stop], dtype=np.uint64))
    marks = np.zeros(stop - start, dtype=bool)
    marks[np.asarray(offsets[low:high]).astype(np.int64) - start] = True
    return marks


def _check_sizes(folder: Path, manifest: dict[str, Any]) -> None:
    for name, promised in manifest["files"].items():
        path = folder / name
        if not path.is_file():
            raise DamagedError(f"{path}: missing")
        if path.stat().st_size != promised["bytes"]:
            raise DamagedError(f"{path}: not the {promised['bytes']:,} bytes that were written")
    for name in ("results.json", f"{TOKENIZER}/tokenizer.json"):
        if runs.sha256(folder / name) != manifest["files"][name]["sha256"]:
            raise DamagedError(f"{folder / name}: not what was written (SHA-256 differs)")

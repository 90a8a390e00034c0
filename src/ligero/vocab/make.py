"""`ligero vocab train`: text -> counts of words, part by part -> a vocabulary in its folder.

The counts of a part depend on its text alone and are summed in no order that matters, so the bytes
are those of `vocab.train` on the same text, for any number of workers and after any interruption.
"""

import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from ligero import runs, vocab
from ligero.errors import DamagedError, InputError, LigeroError, unknown
from ligero.jobs import Job, Workers
from ligero.vocab import measure

PART = 32 << 20
"""Characters of a raw file that one job counts."""

SAMPLE = 1_000_000
"""Characters that a vocabulary is measured on, of all that it was learned from."""

MOST = 5_000_000
"""Characters that it is measured on at most, of each other file."""

LEARNED_FROM = "learned from"
RESULTS = "results.json"
_TEXT = "text.parquet"
_WORDS = "words.json"
_SAMPLE = "sample.json"


@dataclass(frozen=True)
class Settings:
    """What vocabulary is made.

    algorithm, size, lowercase: as `vocab.train` takes them.
    family: the model type of transformers that it is for, a key of `vocab.FAMILIES`: it decides what
        special tokens are called, and whether token_type_ids are given.
    max_length: longest window in sub-words, special tokens included.
    text_field: where records (JSON lines, Parquet) have their text.
    """

    algorithm: str = "unigram"
    size: int = 16_000
    lowercase: bool = False
    family: str = "bert"
    max_length: int = 512
    text_field: str = "text"


def make(
    inputs: Sequence[str | Path],
    out: str | Path,
    settings: Settings | None = None,
    workers: int | None = None,
    valid: Sequence[str | Path] = (),
    say: Callable[[str], None] = lambda text: None,
) -> dict[str, Any]:
    """Train a vocabulary and publish it as the folder `out`, which plain transformers loads.

    inputs: a finished corpus's folder, or files that `corpus.read` knows, or several of either.
    valid: files of other text to measure it on.

    Returns what `out/results.json` holds: `settings`, `vocabulary` (`measure.itself`) and `texts`,
    name -> `measure.over`. Repeated with the same arguments it does nothing when all is there, and
    continues what was interrupted, whose parts wait in a hidden folder beside `out`.

    Raises InputError for inputs that cannot be read, hold no word, or are shards; for a size that
    the letters and signs of Spanish fill; and for an `out` that holds anything else.
    """
    settings, out = settings or Settings(), Path(out).absolute()
    if not inputs:
        raise InputError("no text to learn from", expected="files, or a corpus's folder")
    _check(settings)
    identity = {
        "inputs": [_digest(Path(path)) for path in inputs],
        "valid": [_digest(Path(path)) for path in valid],
        "settings": asdict(settings),
        "versions": {"tokenizers": version("tokenizers")},
    }
    if _stands(out, identity, say):
        found: dict[str, Any] = runs.read_json(out / RESULTS)
        return found
    work = out.with_name(f".{out.name}.work")
    with runs.Run(work, "vocab", identity), Workers(workers, say) as crew:
        parts = work / runs.CHECKPOINTS
        try:
            made = _Make([Path(path) for path in inputs], parts, settings, crew)
            results = made.publish(out, identity, [Path(path) for path in valid])
        except InputError:
            # Other inputs are other work: what was counted of these is of no use.
            shutil.rmtree(parts, ignore_errors=True)
            raise
    shutil.rmtree(work)
    return results


def sample(path: Path, field: str) -> list[str]:
    """The documents of a file until MOST characters; InputError as `read.frames` raises it."""
    from ligero.corpus import read

    texts: list[str] = []
    room = MOST
    for frame in read.frames([path], field, MOST):
        for text in frame["text"]:
            texts.append(text[:room])
            room -= len(texts[-1])
            if not room:
                return texts
    if not texts:
        raise InputError("no document", file=path, expected="Spanish text")
    return texts


def load(folder: str | Path) -> Tokenizer:
    """The tokenizer in a folder, whoever made it: a vocabulary's, a model's, a finished run's.

    Raises InputError when there is none, or one that cannot be read.
    """
    from ligero.corpus.shards import tokenizer_json
    from ligero.models.reference import finished

    place = Path(folder)
    if not place.is_dir():
        raise InputError("no such folder", file=place, expected="a tokenizer's folder")
    place = finished(place)
    try:
        tokenizer = Tokenizer.from_str(tokenizer_json(place))
    except LigeroError:
        raise
    except ImportError:
        # Only transformers reads the older files.
        raise InputError("no tokenizer.json", file=place, expected="a tokenizer's folder") from None
    except Exception as error:  # the library raises nothing narrower
        raise InputError(f"no valid tokenizer ({error})", file=place) from None
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def count_part(folder: Path, text: str, algorithm: str, lowercase: bool) -> None:
    """A job: the words of one Parquet file, and a sample of its text."""
    import polars as pl

    texts = pl.read_parquet(text, columns=["text"])["text"]
    counted = vocab.splits(algorithm, lowercase).count(texts)
    _write(folder / _WORDS, dict(sorted(counted.items())))
    # Documents from all over the part, were it read in the order of its sources.
    step = max(1, int(texts.str.len_chars().sum()) // SAMPLE)
    _write(folder / _SAMPLE, texts.gather_every(step).to_list())


@dataclass(frozen=True)
class _Make:
    """One vocabulary under way: all below `parts` goes when it is done."""

    inputs: Sequence[Path]
    parts: Path
    settings: Settings
    crew: Workers

    def publish(
        self, out: Path, identity: Mapping[str, Any], valid: Sequence[Path]
    ) -> dict[str, Any]:
        """Count, learn, measure; the folder, whole. Returns its results."""
        settings = self.settings
        # Before the work, since they may not be readable.
        others = {path.name: sample(path, settings.text_field) for path in valid}
        counted = self._counted()
        family = vocab.FAMILIES[settings.family]
        tokenizer = vocab.train_counted(
            sum_of(runs.read_json(part / _WORDS) for part in counted),
            algorithm=settings.algorithm,
            size=settings.size,
            lowercase=settings.lowercase,
            naming=family.naming,
        )
        texts = {LEARNED_FROM: _drawn(counted), **others}
        results = {
            "settings": asdict(settings),
            "vocabulary": measure.itself(tokenizer),
            "texts": {name: measure.over(tokenizer, some) for name, some in texts.items()},
        }
        with runs.publish(out, identity=identity) as folder:
            vocab.save(
                tokenizer,
                folder,
                max_length=settings.max_length,
                token_types=family.token_types,
            )
            runs.write_json(folder / RESULTS, results)
        return results

    def _counted(self) -> list[Path]:
        """The folders of all parts' counts."""
        made: list[Path] = []
        self.crew.run(self._jobs(made), "words")
        if not made:
            raise InputError("no document", file=self.inputs[0], expected="Spanish text")
        return made

    def _jobs(self, made: list[Path]) -> Iterator[Job]:
        for path in self.inputs:
            texts = _texts_of(path) if path.is_dir() else self._cut(path, made)
            for text in texts:
                made.append(self.parts / "counted" / f"part-{len(made):05d}")
                arguments = {
                    "text": str(text),
                    "algorithm": self.settings.algorithm,
                    "lowercase": self.settings.lowercase,
                }
                yield Job(made[-1], f"{__name__}:count_part", arguments)

    def _cut(self, path: Path, made: list[Path]) -> Iterator[Path]:
        """A raw file's parts, each written down for its job, and gone when that is done."""
        from ligero.corpus import read

        raw = self.parts / "raw"
        for frame in read.frames([path], self.settings.text_field, PART):
            place = raw / f"part-{len(made):05d}"
            if not runs.is_published(self.parts / "counted" / place.name):
                with runs.publish(place) as folder:
                    frame.select("text").write_parquet(folder / _TEXT, compression="lz4")
            yield place / _TEXT
            for each in raw.glob("part-*"):
                if runs.is_published(self.parts / "counted" / each.name):
                    shutil.rmtree(each)


def sum_of(counts: Iterator[Mapping[str, int]]) -> Counter[str]:
    """The counts of all parts as one."""
    total: Counter[str] = Counter()
    for some in counts:
        total.update(some)
    return total


def _drawn(counted: Sequence[Path]) -> list[str]:
    """A sample of all parts, each giving as much."""
    room = SAMPLE // len(counted)
    texts: list[str] = []
    for part in counted:
        left = room
        # Every so many, since the first ones would be of one source.
        for text in runs.read_json(part / _SAMPLE)[:: len(counted)]:
            if left <= 0:
                break
            texts.append(text[:left])
            left -= len(text)
    return texts


def _check(settings: Settings) -> None:
    if settings.algorithm not in vocab.ALGORITHMS:
        raise unknown("vocabulary algorithm", settings.algorithm, vocab.ALGORITHMS)
    if settings.family not in vocab.FAMILIES:
        raise unknown("model type", settings.family, vocab.FAMILIES)
    least = vocab.least(settings.algorithm, settings.lowercase)
    if settings.size < least:
        raise InputError(
            f"a vocabulary size of {settings.size:,}",
            expected=f"at least {least:,}, which the letters and signs of Spanish take",
        )


def _digest(path: Path) -> dict[str, str]:
    """What an input is, by name and content; InputError for what cannot be one."""
    if not path.exists():
        raise InputError("no such file", file=path, expected="raw text, or a corpus's folder")
    if not path.is_dir():
        from ligero.corpus import read

        read.kind(path)
        return {"name": path.name, "sha256": runs.sha256(path)}
    config = path / "config.json"
    command = runs.read_json(config).get("command") if config.is_file() else None
    if command == "shards":
        # Their ids are another tokenizer's: case it folded, signs it has no entry for and spaces
        # are lost, and a new vocabulary would be learned from what the old one left. Where the
        # corpus lies is not known either.
        raise InputError(
            "shards, which hold another vocabulary's sub-words", file=path,
            expected="the corpus's folder that they were cut from",
        )  # fmt: skip
    if command != "corpus" or not runs.is_published(path):
        raise InputError("no finished corpus", file=path, expected="what ligero corpus build left")
    runs.verify(path)
    return {"name": path.name, "sha256": runs.sha256(path / runs.MANIFEST)}


def _texts_of(corpus: Path) -> list[Path]:
    return [part / _TEXT for part in sorted((corpus / "text").glob("part-*"))]


def _stands(out: Path, identity: Mapping[str, Any], say: Callable[[str], None]) -> bool:
    """Whether `out` is this vocabulary, undamaged; InputError if it is anything else but empty."""
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return False
    if not out.is_dir():
        raise InputError("a file", file=out, expected="a folder to write in")
    manifest = runs.read_json(out / runs.MANIFEST) if runs.is_published(out) else {}
    if "identity" not in manifest:
        raise InputError(
            "a folder that is no vocabulary of ligero", file=out, expected="a new or empty one"
        )
    before = manifest["identity"]
    other = [name for name in identity if before.get(name) != identity[name]]
    if other:
        raise InputError(
            f"a vocabulary made with other {' and '.join(other)}", file=out,
            expected="the same settings and inputs, or another --out",
        )  # fmt: skip
    try:
        runs.verify(out)
    except DamagedError as error:
        say(f"finished before, but damaged since; done again ({error})")
        return False
    return True


def _write(file: Path, value: Any) -> None:
    file.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")

"""Raw text to clean text without duplicates: the order of the jobs.

    inputs -> raw parts -> cleaned, with keys and signatures      one job for each part
           -> documents with one key, or alike                    one job for each bucket of keys
           -> the verdict on each document                        one job
           -> keys of the lines of documents that stay            one job for each part
           -> lines with one key                                  one job for each bucket
           -> text                                                one job for each part

Documents are judged before lines: were a line first seen in a document that then goes as a near
copy, and dropped everywhere else, it would be lost. The parts follow from the inputs and the
settings alone, every job from its arguments alone, so the outcome is the same for any number of
workers and after any interruption.
"""

import itertools
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ligero import runs
from ligero.corpus import dedup, steps
from ligero.errors import InputError
from ligero.jobs import Job, Workers

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Settings:
    """How a corpus is built.

    part_bytes: text of a part, in bytes of UTF-8; a longer document is a part of its own.
    copies: whether documents and lines that were there before are dropped.
    near_copies: whether documents much like an earlier one are.
    shortest_line: characters from which a line of whole sentences is dropped where it repeats. A
        line of dialogue ("—Sí, señor.") may be said often; what repeats at length is boilerplate.
    text_field: where records (JSON lines, Parquet) have their text.
    cleaning: options of `clean.clean`, by name.
    """

    part_bytes: int = 16 << 20
    copies: bool = True
    near_copies: bool = True
    shortest_line: int = 40
    text_field: str = "text"
    cleaning: Mapping[str, Any] = field(default_factory=dict)


def build(
    inputs: Sequence[str | Path],
    out: str | Path,
    settings: Settings | None = None,
    workers: int | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> dict[str, Any]:
    """Build a corpus from `inputs` (files that `read.frames` knows) in the run folder `out`.

    `out/text/part-NNNNN/text.parquet` hold the documents that stay, in the order of the input, with
    columns `id` and `text`; `results.json` says what was dropped. Returns that. Repeated with the
    same arguments it continues what was interrupted, and does nothing when all is there.

    Raises InputError for inputs that cannot be read, hold no document, or lose all of them.
    """
    settings = settings or Settings()
    files = [Path(path) for path in inputs]
    with (
        runs.Run(Path(out), "corpus", identity(files, settings)) as run,
        Workers(workers, say) as crew,
    ):
        if not run.is_complete(say):
            run.finish(_Build(files, run.path, settings, crew).all())
        return run.results()


def identity(files: Sequence[Path], settings: Settings) -> dict[str, Any]:
    """What makes two corpora the same work.

    Versions are part of it: polars promises the same hash in one version only, and its tables of
    Unicode change what rules match.
    """
    for file in files:
        if not file.is_file():
            raise InputError("no such file", file=file, expected="raw text")
    return {
        "inputs": [{"name": file.name, "sha256": runs.sha256(file)} for file in files],
        "settings": asdict(settings),
        "versions": {name: version(name) for name in ("polars", "rensa")},
    }


@dataclass(frozen=True)
class _Build:
    """One corpus under way: everything below `run/checkpoints` goes when it is done."""

    inputs: Sequence[Path]
    run: Path
    settings: Settings
    crew: Workers

    def all(self) -> dict[str, Any]:
        """Every stage in turn; what `results.json` will hold."""
        cleaned = self._cleaned()
        copies = self._buckets("documents", cleaned) if self.settings.copies else []
        alike = self._buckets("bands", cleaned) if self.settings.near_copies else []
        verdicts = self._folder("verdicts") / "all"
        everywhere = {
            "parts": _names(cleaned), "copies": _names(copies), "alike": _names(alike)
        }  # fmt: skip
        self._do("verdicts", [_job(verdicts, steps.judge, **everywhere)])
        lines = self._lines(cleaned, verdicts)
        repeats = self._buckets("lines", lines)
        written = [self.run / "text" / part.name for part in cleaned]
        jobs = [
            _job(
                folder, steps.write_part, part=str(part), verdicts=str(verdicts), number=number,
                lines=str(lines[number]) if lines else None, repeats=_names(repeats),
            )
            for number, (folder, part) in enumerate(zip(written, cleaned, strict=True))
        ]  # fmt: skip
        self._run(self.run / "text", jobs)
        return self._results(cleaned, written)

    def _folder(self, stage: str) -> Path:
        return self.run / runs.CHECKPOINTS / stage

    def _do(self, stage: str, jobs: Iterable[Job]) -> None:
        self._run(self._folder(stage), jobs)

    def _run(self, folder: Path, jobs: Iterable[Job]) -> None:
        """Do the jobs of a stage, whose folders stand in `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        self.crew.run(jobs, folder.name)
        # What killed workers left half-written; this run's own have nothing to do now.
        for path in folder.glob(".*.tmp"):
            shutil.rmtree(path, ignore_errors=True)

    def _cleaned(self) -> list[Path]:
        """Read the inputs once, and clean them part by part meanwhile; the parts' folders."""
        read = self._folder("raw") / "read.json"
        folder = self._folder("cleaned")
        if read.exists():
            across = runs.read_json(read)["across"]
            # What was not cleaned yet lies there in raw parts.
            self._do("cleaned", [self._clean(*part) for part in enumerate(across)])
        else:
            read.parent.mkdir(parents=True, exist_ok=True)
            runs.sweep(read.parent)
            self._do("cleaned", self._reading(read))
        total = len(runs.read_json(read)["across"])
        if not total:
            raise InputError("no document", file=self.inputs[0] if self.inputs else None)
        return [folder / _part(number) for number in range(total)]

    def _reading(self, read: Path) -> Iterator[Job]:
        """A job for each part, as the inputs are read; a raw part goes when it has been cleaned."""
        across: list[bool] = []
        for is_text, some in itertools.groupby(self._frames(), _is_text):
            for frame in steps.cut(some, self.settings.part_bytes):
                raw = read.parent / _part(len(across))
                job = self._clean(len(across), is_text)
                across.append(is_text)
                if not runs.is_published(job.folder):
                    with runs.publish(raw) as folder:
                        frame.write_ipc(folder / steps.RAW, compression="lz4")
                yield job
                for each in read.parent.glob("part-*"):
                    if runs.is_published(self._folder("cleaned") / each.name):
                        shutil.rmtree(each)
        runs.write_json(read, {"across": across})

    def _frames(self) -> Iterator["pl.DataFrame"]:
        from ligero.corpus.read import FRAME, frames

        size = min(FRAME, self.settings.part_bytes)
        return frames(self.inputs, self.settings.text_field, size)

    def _clean(self, number: int, across: bool) -> Job:
        return _job(
            self._folder("cleaned") / _part(number), steps.clean_part,
            raw=str(self._folder("raw") / _part(number)),
            options={"across": across, **self.settings.cleaning},
            copies=self.settings.copies, near_copies=self.settings.near_copies,
        )  # fmt: skip

    def _buckets(self, name: str, parts: Sequence[Path]) -> list[Path]:
        """Compare the parts' keys of one `name`, bucket by bucket; the buckets' folders."""
        if not parts:
            return []
        total = dedup.buckets(parts, name)
        folders = [self._folder(f"repeated-{name}") / f"{n:05d}-of-{total}" for n in range(total)]
        jobs = [
            _job(
                folder,
                steps.compare_bucket,
                parts=_names(parts),
                name=name,
                bucket=number,
                of=total,
            )
            for number, folder in enumerate(folders)
        ]
        self._do(f"repeated-{name}", jobs)
        return folders

    def _lines(self, cleaned: Sequence[Path], verdicts: Path) -> list[Path]:
        if not self.settings.copies:
            return []
        folders = [self._folder("lines") / part.name for part in cleaned]
        jobs = [
            _job(
                folder, steps.key_lines, part=str(part), verdicts=str(verdicts),
                shortest=self.settings.shortest_line,
            )
            for folder, part in zip(folders, cleaned, strict=True)
        ]  # fmt: skip
        self._do("lines", jobs)
        return folders

    def _results(self, cleaned: Sequence[Path], written: Sequence[Path]) -> dict[str, Any]:
        from ligero.corpus.tally import Tally

        counts: Counter[str] = Counter()
        for folder in written:
            counts.update(runs.read_json(folder / steps.COUNTS))
        if not counts["documents_kept"]:
            raise InputError("no document left after cleaning", file=self.inputs[0])
        tallies = {
            "cleaning": [folder / steps.CLEANED for folder in cleaned],
            "copies": [folder / steps.COPIED for folder in written],
        }
        merged = {
            name: steps.merged(Tally.from_json(runs.read_json(file)) for file in files).to_json()
            for name, files in tallies.items()
        }
        return {"parts": len(written), **counts, **merged}


def _is_text(frame: "pl.DataFrame") -> bool:
    """Whether a frame is out of a text file, where a blank line may also stand within a listing."""
    from ligero.corpus.read import kind

    name, _, _ = frame["id"][0].rpartition(":")
    return kind(Path(name)) == "text"


def _part(number: int) -> str:
    return f"part-{number:05d}"


def _names(folders: Sequence[Path]) -> list[str]:
    return [str(folder) for folder in folders]


def _job(folder: Path, function: Callable[..., None], **arguments: Any) -> Job:
    return Job(folder, f"{function.__module__}:{function.__name__}", arguments)

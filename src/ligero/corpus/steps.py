"""The jobs of building a corpus: each fills `folder` from its arguments, which are plain values."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ligero import runs
from ligero.corpus import dedup
from ligero.corpus.tally import Tally

if TYPE_CHECKING:
    import polars as pl

RAW = "raw.arrow"
TEXT = "text.parquet"
COUNTS = "counts.json"
CLEANED = "cleaning.json"
COPIED = "copies.json"
FRAME_BYTES = 16 << 20  # text cleaned at a time: rules over its lines take several times as much
STAYS, COPY, NEAR_COPY = 0, 1, 2
"""Verdicts on a document."""

# A line that may be dropped where it repeats is a sentence or several. In text that is wrapped at a
# column, as laws are, a line without a beginning or an end would be torn out of a sentence.
WHOLE = r"^\P{L}*\p{Lu}.*[.!?…][\"»”’)\]]*$"

COPIES, NEAR_COPIES, REPEATED_LINES = "copies", "near copies", "repeated lines"
WHY = {
    COPIES: "The same text, to the letter, stands earlier.",
    NEAR_COPIES: "An earlier document has about 80% of its runs of five words, or more.",
    REPEATED_LINES: "Long, whole sentences that stand earlier: what repeats at length is boilerplate.",
}
"""What is dropped because it was there before, and why, in this order."""


def clean_part(
    folder: Path, raw: str, options: Mapping[str, Any], copies: bool, near_copies: bool
) -> None:
    """Clean a raw part; keep its text, the keys of its documents, and their signatures."""
    import polars as pl

    from ligero.corpus.clean import Options, clean

    frames, tallies = [], []
    for frame in cut([pl.read_ipc(Path(raw) / RAW)], FRAME_BYTES):
        cleaned, tally = clean(frame, Options(**options))
        frames.append(cleaned)
        tallies.append(tally)
    text = pl.concat(frames)
    _write(text, folder / TEXT)
    runs.write_json(folder / CLEANED, merged(tallies).to_json())
    if copies:
        rows = np.arange(len(text), dtype=np.uint32)
        dedup.save(folder, "documents", dedup.keys(text["text"]), rows)
    if near_copies:
        dedup.save_bands(folder, *dedup.sign(text["text"]))


def compare_bucket(folder: Path, parts: Sequence[str], name: str, bucket: int, of: int) -> None:
    """Find what stands in several parts, among the keys of one bucket."""
    places = [Path(part) for part in parts]
    if name == "bands":
        np.save(folder / "pairs.npy", dedup.pairs_between(places, bucket, of))
    else:
        np.save(folder / "places.npy", dedup.repeats_between(places, name, bucket, of))


def judge(folder: Path, parts: Sequence[str], copies: Sequence[str], alike: Sequence[str]) -> None:
    """Give each document of each part its verdict: `part-NNNNN.npy`, uint8."""
    nothing = np.empty(0, dtype=np.uint64)
    pairs = [np.load(Path(bucket) / "pairs.npy") for bucket in alike]
    if alike:
        pairs += [dedup.pairs_within(n, Path(part)) for n, part in enumerate(parts)]
    near = dedup.repeats_of(np.concatenate(pairs)) if pairs else nothing
    found = [np.load(Path(bucket) / "places.npy") for bucket in copies]
    repeated = np.sort(np.concatenate([nothing, *found]))
    for number, part in enumerate(map(Path, parts)):
        verdicts = np.full(_rows(part), STAYS, dtype=np.uint8)
        verdicts[dedup.rows_of(number, near)] = NEAR_COPY
        if copies:
            verdicts[dedup.rows_of(number, repeated)] = COPY
            verdicts[dedup.repeats_within(part, "documents")] = COPY
        np.save(folder / f"{part.name}.npy", verdicts)


def key_lines(folder: Path, part: str, verdicts: str, shortest: int) -> None:
    """Keep the keys of the lines that may be dropped where they repeat, in documents that stay."""
    lines = _staying(Path(part), Path(verdicts))["text"].str.split("\n").explode()
    ours = ((lines.str.len_chars() >= shortest) & lines.str.contains(WHOLE)).fill_null(False)
    rows = ours.arg_true().to_numpy().astype(np.uint32)
    dedup.save(folder, "lines", dedup.keys(lines.filter(ours)), rows)


def write_part(
    folder: Path,
    part: str,
    verdicts: str,
    number: int,
    lines: str | None,
    repeats: Sequence[str],
) -> None:
    """Write the text of a part's documents that stay, without the lines that repeat."""
    import polars as pl

    given = pl.Series(np.load(Path(verdicts) / f"{Path(part).name}.npy"))
    text = pl.read_parquet(Path(part) / TEXT)
    tally = Tally()
    tally.began(*_size(text))
    for name, verdict in ((COPIES, COPY), (NEAR_COPIES, NEAR_COPY)):
        _count(tally, name, "drop document", text.filter(given == verdict))
    staying = text.filter(given == STAYS)
    if lines is not None:
        places = [np.load(Path(bucket) / "places.npy", mmap_mode="r") for bucket in repeats]
        within = dedup.repeats_within(Path(lines), "lines")
        between = [dedup.rows_of(number, each) for each in places]
        kept, dropped = without_lines(staying, np.concatenate([within, *between]))
        _count(tally, REPEATED_LINES, "drop line", dropped)
    else:
        kept = staying
    tally.ended(*_size(kept))
    _write(kept, folder / TEXT)
    counts = {
        "documents_read": len(text),
        "documents_copied": int((given == COPY).sum()),
        "documents_nearly_copied": int((given == NEAR_COPY).sum()),
        "documents_emptied": len(staying) - len(kept),
        "documents_kept": len(kept),
        "lines_repeated": len(dropped) if lines is not None else 0,
        "characters_kept": int(kept["text"].str.len_chars().sum()),
        "bytes_kept": int(kept["text"].str.len_bytes().sum()),
    }
    runs.write_json(folder / COUNTS, counts)
    runs.write_json(folder / COPIED, tally.to_json())


def cut(frames: Iterable["pl.DataFrame"], size: int) -> Iterator["pl.DataFrame"]:
    """The same rows in frames of at most `size` bytes of text, or of one document that is longer.

    Where they are cut depends on the rows alone, not on how they came in frames.
    """
    import polars as pl

    held: list[pl.DataFrame] = []
    room = size
    for frame in frames:
        sizes = frame["text"].str.len_bytes().to_numpy().astype(np.int64)
        ends = np.cumsum(sizes)
        start = done = 0
        while start < len(frame):
            stop = int(np.searchsorted(ends, done + room, side="right"))
            if stop == start and not held:
                stop += 1  # a document longer than a part
            if stop > start:
                held.append(frame.slice(start, stop - start))
                room -= int(ends[stop - 1]) - done
                start, done = stop, int(ends[stop - 1])
            if start < len(frame):
                yield pl.concat(held)
                held, room = [], size
    if held:
        yield pl.concat(held)


def without_lines(text: "pl.DataFrame", rows: np.ndarray) -> tuple["pl.DataFrame", "pl.DataFrame"]:
    """`text` without some lines and the documents of which nothing is left; and those lines.

    rows: numbers of the lines to drop, counted over all lines of all documents.
    """
    import polars as pl

    if not len(rows):
        return text, text.clear()
    lines = text.with_row_index("document").with_columns(pl.col("text").str.split("\n"))
    lines = lines.explode("text")
    gone = np.zeros(len(lines), dtype=bool)
    gone[rows] = True
    kept = (
        lines.filter(pl.Series(~gone))
        .group_by("document", maintain_order=True)
        .agg(pl.col("id").first(), pl.col("text").str.join("\n"))
        .filter(pl.col("text").str.strip_chars() != "")
    )
    return kept.select("id", "text"), lines.filter(pl.Series(gone)).select("id", "text")


def merged(tallies: Iterable[Tally]) -> Tally:
    """The tallies of all parts as one."""
    first, *others = tallies
    for other in others:
        first.merge(other)
    return first


def _size(text: "pl.DataFrame") -> tuple[int, int, int]:
    """Documents, lines and bytes (without the lines' ends, as cleaning counts them)."""
    ends = int(text["text"].str.count_matches("\n", literal=True).sum())
    return len(text), ends + len(text), int(text["text"].str.len_bytes().sum()) - ends


def _count(tally: Tally, name: str, does: str, gone: "pl.DataFrame") -> None:
    """Count what goes under a rule's name, with samples that depend on what they are alone."""
    import polars as pl

    key = pl.concat_str("id", "text", separator="\n").hash(dedup.SEED)
    some = gone.with_columns(key=key).bottom_k(tally.samples, by="key").sort("key")
    samples = [(key, name, text, "") for name, text, key in some.iter_rows()]
    tally.add(name, does, len(gone), _size(gone)[2], samples)


def _staying(part: Path, verdicts: Path) -> "pl.DataFrame":
    import polars as pl

    text = pl.read_parquet(part / TEXT)
    return text.filter(pl.Series(np.load(verdicts / f"{part.name}.npy") == STAYS))


def _rows(part: Path) -> int:
    import polars as pl

    return int(pl.scan_parquet(part / TEXT).select(pl.len()).collect().item())


def _write(text: "pl.DataFrame", file: Path) -> None:
    text.rechunk().write_parquet(file, compression="zstd", compression_level=1)

"""Which documents and lines were there before, decided in bounded memory.

Whatever is compared (a line, a document, a band of a document's MinHash) has a 64-bit key, and what
shares a key meets in one bucket: a range of keys, small enough to be sorted in memory. A part of the
corpus keeps its keys sorted on disk, so that a bucket of it is one slice, and no bucket is ever
written. A *place* says where something stands: its part's number in the upper 32 bits, its row there
in the lower, so that places are in the order of the input. The first in that order is kept.

Two different lines have one key by chance with probability 2^-64: among the 300 million lines of the
papers' corpus (4.5e16 pairs) that is 0.002 lines lost.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import polars as pl

# Keys in one bucket at most: sorting takes about 40 bytes for each, 160 MB.
BUCKET = 4_000_000

# MinHash over runs of 5 words, lowercase, without signs (as in Lee et al., 2022, and datatrove).
SHINGLE = 5
PERMUTATIONS = 128
# 21 bands of 6 rows, 126 of the 128. Documents of Jaccard similarity s share a band with probability
# 1 - (1 - s^6)^21: 0.998 at 0.8, 0.93 at 0.7, 0.28 at 0.5; the middle of the slope is
# (1/21)^(1/6) = 0.60. What shares one is then compared over all 128, whose standard error at 0.8 is
# sqrt(0.8 * 0.2 / 128) = 0.035.
BANDS, ROWS = 21, 6
ALIKE = 0.8
# With fewer words not even one changed word, the last, leaves 0.8 of the shingles in common:
# (n - 5) / (n - 3) >= 0.8 takes n >= 13. Such documents are compared exactly only.
FEWEST_WORDS = 13
# Documents signed at a time: rensa hands signatures over as Python numbers, 128 for each.
_SIGNED = 8192

SEED = 1
_ODD = np.array([0x9E3779B97F4A7C15], dtype=np.uint64)  # 2^64 / golden ratio
_MIX = np.array([0xBF58476D1CE4E5B9, 0x94D049BB133111EB], dtype=np.uint64)  # splitmix64


def keys(texts: "pl.Series") -> np.ndarray:
    """A 64-bit key for each text, uint64: equal for equal texts.

    Polars' hash is the same in every process of one version of polars only; a corpus is built with
    one version (`build.identity`).
    """
    return texts.hash(SEED).to_numpy()


def save(folder: Path, name: str, keys: np.ndarray, rows: np.ndarray) -> None:
    """Keep `keys` [n] of ascending `rows` [n] in `folder`: each key once, with its first row.

    Rows whose key an earlier row has are kept apart (`repeats_within`). So a line that is there a
    million times is there once for each part when parts are compared.
    """
    keys, rows = _sorted(keys, rows)
    first = _starts(keys)
    _save(folder, name, keys[first], rows[first])
    np.save(folder / f"{name}.repeats.npy", np.sort(rows[~first]))


def repeats_within(folder: Path, name: str) -> np.ndarray:
    """Rows of one part whose key an earlier row of it has: uint32, ascending."""
    return np.load(folder / f"{name}.repeats.npy")


def buckets(folders: Sequence[Path], name: str) -> int:
    """Into how many buckets the keys of all parts fall: a power of two."""
    total = sum(len(_load(folder, name)[0]) for folder in folders)
    return 1 << max(0, (total - 1) // BUCKET).bit_length()


def repeats_between(folders: Sequence[Path], name: str, bucket: int, of: int) -> np.ndarray:
    """Places of one bucket whose key an earlier part has: uint64, ascending."""
    keys, places = _gather(folders, name, bucket, of)
    return np.sort(places[~_starts(keys)])


def rows_of(part: int, places: np.ndarray) -> np.ndarray:
    """The rows of one part among ascending `places`, uint32."""
    low, high = np.searchsorted(places, np.array([part << 32, (part + 1) << 32], dtype=np.uint64))
    return places[low:high].astype(np.uint32)


def sign(texts: "pl.Series") -> tuple[np.ndarray, np.ndarray]:
    """MinHash signatures of the texts that have at least FEWEST_WORDS words.

    Returns their row numbers, uint32 [n], and signatures, uint32 [n, PERMUTATIONS].
    """
    signed, signatures = [], [np.empty((0, PERMUTATIONS), dtype=np.uint32)]
    for start in range(0, len(texts), _SIGNED):
        rows, some = _sign(texts.slice(start, _SIGNED))
        signed.append(rows + np.uint32(start))
        signatures.append(some)
    return np.concatenate([np.empty(0, dtype=np.uint32), *signed]), np.concatenate(signatures)


def _sign(texts: "pl.Series") -> tuple[np.ndarray, np.ndarray]:
    from rensa import RMinHash

    words = texts.str.to_lowercase().str.extract_all(r"\w+")
    counts = words.list.len().to_numpy().astype(np.int64)
    long = counts >= FEWEST_WORDS
    hashes = words.filter(long).explode(empty_as_null=False).hash(SEED).to_numpy()
    if not long.any():
        return np.empty(0, dtype=np.uint32), np.empty((0, PERMUTATIONS), dtype=np.uint32)
    shingles, offsets = _shingles(hashes, counts[long])
    matrix = RMinHash.digest_matrix_from_flat_token_hashes(shingles, offsets, PERMUTATIONS, SEED)
    return np.flatnonzero(long).astype(np.uint32), np.array(matrix.to_rows(), dtype=np.uint32)


def _shingles(words: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Hashes of the runs of SHINGLE words within each text, end to end, and each text's offset.

    words: hashes of all texts' words, end to end; counts: words of each text, SHINGLE at least.
    """
    runs = np.zeros(len(words) - SHINGLE + 1, dtype=np.uint64)
    for place in range(SHINGLE):
        runs *= _ODD
        runs += words[place : place + len(runs)]
    # A run that begins among the last words of a text would reach into the next one.
    ends = np.cumsum(counts)
    within = np.ones(len(words), dtype=bool)
    for back in range(1, SHINGLE):
        within[ends - back] = False
    offsets = np.concatenate([[0], np.cumsum(counts - SHINGLE + 1)])
    return runs[within[: len(runs)]], offsets.astype(np.uint64)


def save_bands(folder: Path, rows: np.ndarray, signatures: np.ndarray) -> None:
    """Keep the signatures of a part's `rows`, their bands' keys, and which of them are alike.

    Of rows with one key that are like the first of them only that one meets other parts, so that
    buckets stay small however often a text was copied.
    """
    each, at = _sorted(
        _bands(signatures).ravel(), np.tile(np.arange(len(rows), dtype=np.uint32), BANDS)
    )
    first = at[_firsts(each)]
    pairs = _alike(signatures, signatures, np.stack([first, at], axis=1)[first != at])
    covered = np.isin(_joined(first, at), _joined(*pairs.T))
    _save(folder, "bands", each[~covered], rows[at[~covered]])
    np.save(folder / "pairs.npy", rows[_unique(pairs)])
    np.save(folder / "signed.npy", rows)
    np.save(folder / "signatures.npy", signatures)


def pairs_within(part: int, folder: Path) -> np.ndarray:
    """Places of documents of one part that are alike, uint64 [n, 2]."""
    return np.load(folder / "pairs.npy").astype(np.uint64) + np.uint64(part << 32)


def pairs_between(folders: Sequence[Path], bucket: int, of: int) -> np.ndarray:
    """Places of documents that share a key of this bucket and are alike: uint64 [n, 2].

    Of n documents with one key, each is compared with the first and with the one before it: 2n
    comparisons and not n², and pairs are joined transitively anyway.
    """
    keys, places = _gather(folders, "bands", bucket, of)
    if not len(keys):
        return np.empty((0, 2), dtype=np.uint64)
    same = np.flatnonzero(~_starts(keys))
    before = np.stack([places[same - 1], places[same]], axis=1)
    first = np.stack([places[_firsts(keys)][same], places[same]], axis=1)
    pairs = _unique(np.concatenate([first, before]))
    found = [np.empty((0, 2), dtype=np.uint64)]
    for start in range(0, len(pairs), 1 << 16):  # 64 MB of signatures
        some = pairs[start : start + (1 << 16)]
        wanted, at = np.unique(some, return_inverse=True)
        signatures = _signatures_at(folders, wanted)
        at = at.reshape(-1, 2)
        found.append(wanted[_alike(signatures, signatures, at)])
    return np.concatenate(found)


def repeats_of(pairs: np.ndarray) -> np.ndarray:
    """Places that are joined by `pairs` [n, 2], over any number of steps, to an earlier place.

    uint64, ascending: all but the first of each connected set. Needs memory for the pairs alone.
    """
    if not len(pairs):
        return np.empty(0, dtype=np.uint64)
    places, at = np.unique(pairs, return_inverse=True)
    one, other = at.reshape(-1, 2).T
    label = np.arange(len(places))
    while True:
        before = label.copy()
        least = np.minimum(label[one], label[other])
        for ends in (one, other):
            np.minimum.at(label, label[ends], least)
            np.minimum.at(label, ends, least)
        label = label[label]
        if np.array_equal(label, before):
            return places[label != np.arange(len(places))]


def _bands(signatures: np.ndarray) -> np.ndarray:
    """Keys of the bands of signatures [n, PERMUTATIONS]: uint64 [BANDS, n]."""
    found = np.empty((BANDS, len(signatures)), dtype=np.uint64)
    for band in range(BANDS):
        key = np.full(len(signatures), band + 1, dtype=np.uint64)
        for row in range(band * ROWS, (band + 1) * ROWS):
            key = _mixed(key * _ODD + signatures[:, row])
        found[band] = key
    return found


def _mixed(key: np.ndarray) -> np.ndarray:
    """splitmix64's last steps: every bit of `key` changes every bit of what comes out."""
    key = (key ^ (key >> np.uint64(30))) * _MIX[0]
    key = (key ^ (key >> np.uint64(27))) * _MIX[1]
    return key ^ (key >> np.uint64(31))


def _alike(one: np.ndarray, other: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Those of `pairs` [n, 2] of row numbers whose signatures agree in ALIKE of the places."""
    found = [np.empty((0, 2), dtype=pairs.dtype)]
    for start in range(0, len(pairs), 1 << 16):
        some = pairs[start : start + (1 << 16)]
        agreement = (one[some[:, 0]] == other[some[:, 1]]).mean(axis=1)
        found.append(some[agreement >= ALIKE])
    return np.concatenate(found)


def _signatures_at(folders: Sequence[Path], places: np.ndarray) -> np.ndarray:
    """Signatures of ascending `places` [n]: uint32 [n, PERMUTATIONS]."""
    found = np.empty((len(places), PERMUTATIONS), dtype=np.uint32)
    parts = places >> np.uint64(32)
    for part in np.unique(parts):
        folder, here = folders[int(part)], parts == part
        signed = np.load(folder / "signed.npy", mmap_mode="r")
        at = np.searchsorted(signed, rows_of(int(part), places))
        found[here] = np.load(folder / "signatures.npy", mmap_mode="r")[at]
    return found


def _gather(
    folders: Sequence[Path], name: str, bucket: int, of: int
) -> tuple[np.ndarray, np.ndarray]:
    """Keys and places of one bucket, sorted by key and then by place."""
    found: list[np.ndarray] = [np.empty(0, dtype=np.uint64)]
    places: list[np.ndarray] = [np.empty(0, dtype=np.uint64)]
    width = (1 << 64) // of
    least, most = np.uint64(bucket * width), np.uint64((bucket + 1) * width - 1)
    for part, folder in enumerate(folders):
        keys, rows = _load(folder, name)
        low, high = np.searchsorted(keys, least), np.searchsorted(keys, most, side="right")
        found.append(keys[low:high])
        places.append(rows[low:high].astype(np.uint64) + np.uint64(part << 32))
    return _sorted(np.concatenate(found), np.concatenate(places))


def _sorted(keys: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    order = np.argsort(keys, kind="stable")
    return keys[order], rows[order]


def _starts(keys: np.ndarray) -> np.ndarray:
    """Where a run of equal `keys` begins: bool [n]."""
    starts = np.ones(len(keys), dtype=bool)
    starts[1:] = keys[1:] != keys[:-1]
    return starts


def _firsts(keys: np.ndarray) -> np.ndarray:
    """For each of sorted `keys` [n], at which index its run begins."""
    starts = _starts(keys)
    return np.flatnonzero(starts)[np.cumsum(starts) - 1]


def _joined(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return (one.astype(np.uint64) << np.uint64(32)) | other.astype(np.uint64)


def _unique(pairs: np.ndarray) -> np.ndarray:
    return np.unique(pairs, axis=0)


def _save(folder: Path, name: str, keys: np.ndarray, rows: np.ndarray) -> None:
    np.save(folder / f"{name}.keys.npy", keys)
    np.save(folder / f"{name}.rows.npy", rows)


def _load(folder: Path, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Keys and rows, on disk until they are looked at."""
    keys = np.load(folder / f"{name}.keys.npy", mmap_mode="r")
    return keys, np.load(folder / f"{name}.rows.npy", mmap_mode="r")

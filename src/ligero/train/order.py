"""The order of examples and every random draw, as functions of (seed, epoch, step).

Nothing here keeps state, so a run that was killed continues exactly where it was, and there is no
data loader to save.
"""

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]

# Examples are sorted by length within pools of this many batches: large enough that batches hold
# little padding, small enough that an epoch's batches still differ from the last epoch's.
POOL = 50


def key(*parts: int | str) -> int:
    """A 63-bit number that follows from `parts` alone, the same on every machine."""
    return int.from_bytes(hashlib.sha256(repr(parts).encode()).digest()[:8], "big") >> 1


def generator(*parts: int | str) -> np.random.Generator:
    """NumPy's Philox generator for the draw that `parts` name."""
    return np.random.Generator(np.random.Philox(key=key(*parts)))


def steps(size: int, batch_size: int) -> int:
    """Batches in an epoch of `size` examples, the last one possibly smaller."""
    return -(-size // batch_size)


def batches(
    seed: int, epoch: int, lengths: Sequence[int] | Ids, batch_size: int, *, bucketed: bool
) -> list[Ids]:
    """The epoch's batches of example indices; every example is in exactly one.

    lengths: tokens of each example. With `bucketed`, examples of similar length share a batch.
    """
    rng = generator("order", seed, epoch)
    order = rng.permutation(len(lengths))
    if bucketed:
        lengths = np.asarray(lengths)
        pool = POOL * batch_size
        order = np.concatenate(
            [
                part[np.argsort(lengths[part], kind="stable")]
                for part in np.split(order, range(pool, len(order), pool))
            ]
        )
    cut = np.split(order, range(batch_size, len(order), batch_size))
    if bucketed:
        cut = [cut[i] for i in rng.permutation(len(cut))]
    return cut


def micro_batches(
    ids: Ids, rows: Ids, widths: Ids, *, most_tokens: int, parts: int = 1
) -> list[Ids]:
    """Cut one step's examples into at least `parts` pieces of at most `most_tokens` padded tokens.

    rows, widths: for each example of the data, its number of windows and the longest of them. An
    example alone may exceed the budget; it is never cut. Examples go by length, longest first, so
    that memory peaks at the first piece and not in the middle of a run.
    """
    ids = ids[np.argsort(-widths[ids], kind="stable")]
    share = -(-len(ids) // parts)
    pieces: list[list[int]] = []
    used = width = 0
    for i in ids:
        width = max(width, int(widths[i]))
        used += int(rows[i])
        if not pieces or used * width > most_tokens or len(pieces[-1]) >= share:
            pieces.append([])
            used, width = int(rows[i]), int(widths[i])
        pieces[-1].append(int(i))
    return [np.asarray(piece) for piece in pieces]


def uniform(key: int, numbers: Ids, count: int) -> NDArray[np.float64]:
    """[numbers, count] draws from [0, 1): row by row a function of `key` and the row's number alone.

    SplitMix64 (Steele, Lea and Flood, 2014) of a counter: each draw is a hash, so that any part of
    the table can be had without the rest.
    """
    with np.errstate(over="ignore"):
        row = _mixed(np.asarray(numbers).astype(np.uint64) + _mixed(np.array([key], np.uint64)))
        column = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        bits = _mixed(row[:, None] + column[None, :])
    return (bits >> np.uint64(11)).astype(np.float64) * 2.0**-53


def _mixed(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """SplitMix64's finaliser: every bit of the input moves half of the output's."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))

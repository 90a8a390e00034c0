"""What of a window is hidden: dynamic, by whole words, 80/10/10. Numpy alone.

Every draw follows from (seed, epoch, window), so that it does not depend on how windows are put into
batches, pieces or ranks.
"""

from dataclasses import dataclass

import numpy as np

from ligero.config import MaskConfig
from ligero.pretrain.windows import Rows
from ligero.train.order import Ids, uniform


@dataclass(frozen=True)
class Masked:
    """Windows with some of it hidden.

    ids: int64 [rows, length], what the model reads. places: int64 [hidden], where sub-words are to
    be guessed, as positions in the flattened rows, ascending. gold: int64 [hidden], what stood there.
    """

    ids: np.ndarray
    places: np.ndarray
    gold: np.ndarray


def hide(
    rows: Rows, config: MaskConfig, *, mask: int, plain: np.ndarray, chance: tuple[int, Ids]
) -> Masked:
    """Choose words at random until `config.rate` of a window's sub-words, and hide these.

    Of the chosen sub-words `config.mask` become `mask`, `config.random` one of `plain`, the rest
    stay (Devlin et al., 2019, section 3.1). The word that would pass the rate is left, so that a
    window never has more; one at least is chosen.

    chance: a key, and the windows' numbers, from which all draws follow.
    """
    key, windows = chance
    count, length = rows.ids.shape
    begins = rows.begins if config.whole_words else rows.inner
    # Each sub-word's word, counted from 1; special tokens belong to word 0.
    words = np.where(rows.inner, np.cumsum(begins, axis=1), 0)
    draws = uniform(key, windows, 3 * length).reshape(count, 3, length)
    # A word's place in the random order is that of the number drawn at its first sub-word.
    first = np.take_along_axis(draws[:, 0], _starts(words), axis=1)
    first[words == 0] = 2.0
    order = np.argsort(first, axis=1, kind="stable")
    size = rows.inner.sum(axis=1)
    budget = np.maximum(1, np.floor(config.rate * size + 0.5)).astype(np.int64)
    chosen = np.zeros_like(rows.inner)
    sorted_words = np.take_along_axis(words, order, axis=1)
    # The sorted words stand in blocks; one is taken if its last sub-word is within the budget.
    rank = np.arange(length)[None, :]
    ends = np.ones_like(chosen)
    ends[:, :-1] = sorted_words[:, 1:] != sorted_words[:, :-1]
    last = np.where(ends, rank, length)
    last = np.minimum.accumulate(last[:, ::-1], axis=1)[:, ::-1]
    taken = (last < budget[:, None]) & (sorted_words > 0)
    # A first word longer than the whole budget is taken all the same.
    none = ~taken.any(axis=1)
    taken[none] = (last[none] == last[none][:, :1]) & (sorted_words[none] > 0)
    np.put_along_axis(chosen, order, taken, axis=1)
    what = draws[:, 1]
    ids = rows.ids.copy()
    ids[chosen & (what < config.mask)] = mask
    other = chosen & (what >= config.mask) & (what < config.mask + config.random)
    ids[other] = plain[(draws[:, 2][other] * len(plain)).astype(np.int64)]
    places = np.flatnonzero(chosen)
    return Masked(ids, places, rows.ids.reshape(-1)[places])


def _starts(words: np.ndarray) -> np.ndarray:
    """For each sub-word the position at which its word begins (its own, for a special token)."""
    positions = np.broadcast_to(np.arange(words.shape[1]), words.shape)
    new = np.ones(words.shape, dtype=bool)
    new[:, 1:] = (words[:, 1:] != words[:, :-1]) | (words[:, 1:] == 0)
    return np.maximum.accumulate(np.where(new, positions, 0), axis=1)

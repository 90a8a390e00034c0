"""What is hidden: how much, what, and that chance is a function of (seed, epoch, window)."""

import numpy as np
import pytest
from tokenizers import Tokenizer

import small_text
from ligero.config import MaskConfig
from ligero.corpus.shards import Shards
from ligero.pretrain import masking
from ligero.pretrain.windows import Rows, Windows
from ligero.train import order

MASK, ENTRIES = 4, 1000
PLAIN = np.arange(5, ENTRIES)


def correlation(a, b):
    return float(np.corrcoef(a.ravel(), b.ravel())[0, 1])


def test_uniform_draws_are_uniform_and_tell_nothing_of_each_other():
    draws = order.uniform(order.key("x"), np.arange(2000), 300)
    assert draws.shape == (2000, 300) and draws.min() >= 0 and draws.max() < 1
    # Within five standard errors of the mean and the variance of 600,000 draws.
    assert draws.mean() == pytest.approx(0.5, abs=5 * (1 / 12 / draws.size) ** 0.5)
    assert draws.var() == pytest.approx(1 / 12, abs=5 * (1 / 180 / draws.size) ** 0.5)
    tenths = np.histogram(draws, 10, (0, 1))[0] / draws.size
    assert np.abs(tenths - 0.1).max() < 5 * (0.09 / draws.size) ** 0.5
    # Any one row and any one column as well.
    assert np.abs(draws.mean(0) - 0.5).max() < 5 * (1 / 12 / 2000) ** 0.5
    assert np.abs(draws.mean(1) - 0.5).max() < 5 * (1 / 12 / 300) ** 0.5
    others = [order.uniform(order.key(name), np.arange(2000), 300) for name in ("y", "z")]
    near = 5 / draws.size**0.5
    for lag in (1, 2, 7, 64):
        assert abs(correlation(draws[:, lag:], draws[:, :-lag])) < near
        assert abs(correlation(draws[lag:], draws[:-lag])) < near
        # One table is not another one moved along.
        assert abs(correlation(draws[lag:], others[0][:-lag])) < near
    assert abs(correlation(draws, others[0])) < near
    assert abs(correlation(*others)) < near
    for one, two in ((1, 2), (2**40, 2**40 + 1)):
        first, second = (order.uniform(k, np.arange(2000), 300) for k in (one, two))
        assert abs(correlation(first, second)) < near
        assert abs(correlation(first[1:], second[:-1])) < near
    assert len(np.unique(draws)) == draws.size


def test_a_rows_draws_are_its_own():
    whole = order.uniform(17, np.arange(50), 40)
    some = np.array([41, 3, 3, 0])
    assert (order.uniform(17, some, 40) == whole[some]).all()
    assert (order.uniform(17, some, 9) == whole[some, :9]).all()
    # The same on every machine and in every version: runs are continued.
    assert order.uniform(17, np.array([3]), 2)[0].tolist() == FIRST


FIRST = [0.07876186252933393, 0.3921382483985225]


def rows_of(lengths, seed=0):
    """Made-up rows: [CLS], words of `lengths` [rows, words] sub-words, [SEP]."""
    made = []
    for some in lengths:
        begins = [False, *(k == 0 for n in some for k in range(n)), False]
        inner = [False, *[True] * int(sum(some)), False]
        made.append((begins, inner))
    begins, inner = (np.array(x) for x in zip(*made, strict=True))
    ids = np.random.default_rng(seed).choice(PLAIN, begins.shape)
    ids[:, 0], ids[:, -1] = 2, 3
    return Rows(ids, begins, inner)


def equal_words(count, each=4, length=126):
    return rows_of([[each] * (length // each)] * count)


def hide(rows, key=1, ids=None, **settings):
    ids = np.arange(len(rows.ids)) if ids is None else ids
    return masking.hide(rows, MaskConfig(**settings), mask=MASK, plain=PLAIN, chance=(key, ids))


def chosen(rows, hidden):
    where = np.zeros(rows.ids.size, dtype=bool)
    where[hidden.places] = True
    return where.reshape(rows.ids.shape)


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    """Windows of text whose words have 1.3 sub-words; those of a large vocabulary have 1.15."""
    place = small_text.make(tmp_path_factory.mktemp("masking"), 60, size=1000)
    tokenizer = Tokenizer.from_file(str(place / "vocab" / "tokenizer.json"))
    return {n: Windows(Shards(place / "train"), tokenizer, n, seed=0) for n in (32, 128)}


@pytest.mark.parametrize("length, below", [(32, 0.1), (128, 0.04)])
@pytest.mark.parametrize("rate", [0.15, 0.3])
def test_what_is_hidden_never_passes_the_rate_and_falls_little_short(real, length, below, rate):
    windows = real[length]
    ids = np.arange(windows.size)
    hidden_share, asked = 0, 0
    for epoch in range(-(-600 // windows.size)):
        rows = windows.read(ids, epoch)
        hidden = masking.hide(
            rows, MaskConfig(rate=rate), mask=windows.mask, plain=windows.plain,
            chance=(epoch, ids),
        )  # fmt: skip
        counts = chosen(rows, hidden).sum(1)
        budget = np.maximum(1, np.floor(rate * rows.inner.sum(1) + 0.5))
        longest = np.array(
            [_longest_word(*row) for row in zip(rows.begins, rows.inner, strict=True)]
        )
        assert (counts >= 1).all() and (counts <= np.maximum(budget, longest)).all()
        # Passed only where one word alone is longer than what the rate allows.
        assert ((counts <= budget) | (longest > budget)).all()
        hidden_share += counts.sum()
        asked += budget.sum()
    print(f"\nlength {length}, rate {rate}: {1 - hidden_share / asked:.1%} short")
    assert 1 - below < hidden_share / asked <= 1


def _longest_word(begins, inner):
    words = np.cumsum(begins)[inner]
    return np.bincount(words).max()


def test_whole_words_are_hidden_and_nothing_special(real):
    windows = real[128]
    ids = np.arange(windows.size)
    rows = windows.read(ids, 0)
    special = [windows.cls, windows.sep, windows.mask]
    hidden = masking.hide(
        rows, MaskConfig(), mask=windows.mask, plain=windows.plain, chance=(5, ids)
    )
    where = chosen(rows, hidden)
    assert not np.isin(rows.ids[where], special).any()
    assert not (where & ~rows.inner).any()
    assert (rows.ids[~rows.inner][:, None] < 5).all()  # what is not text is special
    assert (hidden.gold == rows.ids.ravel()[hidden.places]).all()
    assert (np.diff(hidden.places) > 0).all()
    assert (hidden.ids[~where] == rows.ids[~where]).all()
    # A sub-word that continues a word is hidden exactly if the one before it is.
    inside = rows.inner[:, 1:] & ~rows.begins[:, 1:] & rows.inner[:, :-1]
    assert inside.sum() > 1000
    assert (where[:, 1:] == where[:, :-1])[inside].all()


def test_single_sub_words_are_hidden_where_asked(real):
    rows = equal_words(500)
    where = chosen(rows, hide(rows, whole_words=False))
    assert (where.sum(1) == np.floor(0.15 * rows.inner.sum(1) + 0.5)).all()
    inside = rows.inner[:, 1:] & ~rows.begins[:, 1:] & rows.inner[:, :-1]
    assert (where[:, 1:] != where[:, :-1])[inside].mean() > 0.2


def test_eighty_ten_ten():
    rows = equal_words(4000, each=1)
    hidden = hide(rows)
    now = hidden.ids.ravel()[hidden.places]
    count = len(now)
    masked, kept = now == MASK, now == hidden.gold
    other = ~masked & ~kept
    for share, expected in ((masked, 0.8), (kept, 0.1), (other, 0.1)):
        # A replacement is the sub-word itself one time in 995.
        bound = 4 * (expected * (1 - expected) / count) ** 0.5 + 0.1 / len(PLAIN)
        assert share.mean() == pytest.approx(expected, abs=bound)
    assert not np.isin(now[other], [0, 1, 2, 3, MASK]).any()
    # Replacements are of all entries alike.
    drawn = (now[other] - PLAIN[0]) / len(PLAIN)
    assert drawn.mean() == pytest.approx(0.5, abs=4 * (1 / 12 / other.sum()) ** 0.5)
    assert len(np.unique(now[other])) > 0.95 * len(PLAIN)
    all_masked = hide(rows, mask=1.0, random=0.0)
    assert (all_masked.ids.ravel()[all_masked.places] == MASK).all()
    assert (all_masked.places == hidden.places).all()


def test_draws_are_a_windows_own_and_another_epochs_are_others():
    rows = rows_of(np.random.default_rng(0).permuted([[1, 2, 3, 4, 5, 6] * 6] * 40, axis=1))
    whole = hide(rows, key=9)
    some = np.array([31, 2, 17])
    few = Rows(rows.ids[some], rows.begins[some], rows.inner[some])
    hidden = hide(few, key=9, ids=some)
    assert (hidden.ids == whole.ids[some]).all()
    assert (chosen(few, hidden) == chosen(rows, whole)[some]).all()
    assert (hide(rows, key=9).ids == whole.ids).all()
    other = chosen(rows, hide(rows, key=10))
    # As much in common as chance gives.
    both = (other & chosen(rows, whole)).sum() / other.sum()
    assert both == pytest.approx(0.15, abs=0.06)


def test_every_word_is_as_likely_wherever_it_stands():
    count = 6000
    rows = equal_words(count, each=3, length=60)
    where = chosen(rows, hide(rows, rate=0.3))
    by_place = where.mean(0)[1:-1]
    expected = where.sum() / rows.inner.sum()
    assert np.abs(by_place - expected).max() < 5 * (expected * (1 - expected) / count) ** 0.5
    # Nor is one word hidden because its neighbour is: five words of twenty, so -1/19 apart.
    words = where[:, 1:-1:3].astype(float)
    assert np.corrcoef(words[:, :-1].ravel(), words[:, 1:].ravel())[0, 1] < 0


def test_words_of_a_length_are_hidden_about_as_often_as_those_of_another():
    lengths = np.random.default_rng(1).permuted([[1, 1, 2, 2, 3, 4] * 9] * 4000, axis=1)
    rows = rows_of(lengths)
    where = chosen(rows, hide(rows))
    at = np.cumsum(lengths, axis=1) - lengths + 1
    picked = np.take_along_axis(where, at, axis=1)
    shares = {int(n): float(picked[lengths == n].mean()) for n in (1, 2, 3, 4)}
    # A long word passes the rate more often, and is then left: a little less likely, no more.
    assert max(shares.values()) - min(shares.values()) < 0.03, shares
    assert min(shares.values()) > 0.13, shares


def test_a_word_longer_than_the_rate_allows_and_rows_with_almost_nothing():
    rows = rows_of([[30], [30], [1, 29]])
    where = chosen(rows, hide(rows))
    assert where[:2].sum(1).tolist() == [30, 30]
    assert where[2].sum() in (1, 29)
    lone = rows_of([[1]] * 5)
    assert chosen(lone, hide(lone)).sum(1).tolist() == [1] * 5


def test_the_rate_is_of_what_can_be_guessed():
    """What is no text does not count: a window with [UNK] in it hides a share of the rest."""
    rows = equal_words(200, each=1, length=40)
    rows.inner[:, 5:25] = False
    where = chosen(rows, hide(rows))
    assert (where.sum(1) == 3).all() and not where[:, 5:25].any()

"""Order and chance are functions of (seed, epoch, step)."""

import numpy as np

from ligero.train import order


def test_every_example_once_an_epoch_and_the_same_for_the_same_seed():
    lengths = np.random.default_rng(0).integers(1, 90, 1003)
    for bucketed in (False, True):
        first = order.batches(7, 0, lengths, 16, bucketed=bucketed)
        again = order.batches(7, 0, lengths, 16, bucketed=bucketed)
        assert len(first) == order.steps(1003, 16)
        assert sorted(np.concatenate(first)) == list(range(1003))
        assert all((a == b).all() for a, b in zip(first, again, strict=True))
        for seed, epoch in ((8, 0), (7, 1)):
            other = order.batches(seed, epoch, lengths, 16, bucketed=bucketed)
            assert any(
                len(a) != len(b) or (a != b).any() for a, b in zip(first, other, strict=True)
            )


def test_buckets_hold_less_padding():
    lengths = np.random.default_rng(0).integers(1, 90, 4000)

    def padding(bucketed):
        batches = order.batches(0, 0, lengths, 16, bucketed=bucketed)
        return sum(len(b) * lengths[b].max() - lengths[b].sum() for b in batches)

    assert padding(True) < padding(False) / 5


def test_micro_batches_hold_every_example_within_budget():
    rng = np.random.default_rng(0)
    rows, widths = rng.integers(1, 4, 200), rng.integers(5, 200, 200)
    ids = rng.permutation(200)[:64]
    for most in (100, 500, 5000):
        for parts in (1, 3, 8):
            cut = order.micro_batches(ids, rows, widths, most_tokens=most, parts=parts)
            assert sorted(np.concatenate(cut)) == sorted(ids)
            assert len(cut) >= parts
            for piece in cut:
                cost = rows[piece].sum() * widths[piece].max()
                assert cost <= most or len(piece) == 1


def test_draws_follow_from_their_name():
    a, b = order.generator("mask", 1, 2), order.generator("mask", 1, 2)
    assert (a.random(9) == b.random(9)).all()
    assert (
        order.generator("mask", 1, 3).random(9) != order.generator("mask", 1, 2).random(9)
    ).any()
    # The same on every machine and in every version: runs are continued, caches are shared.
    assert order.key("order", 0, 0) == 6842717984295184508

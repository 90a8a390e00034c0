"""Duplicates: the same as a naive program finds them, and near ones as often as the arithmetic says."""

import random
import re

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ligero.corpus import dedup, steps

WORDS = [
    a + b + c for a in "bcdfglmnprst" for b in ("a", "é", "io", "u") for c in ("na", "ño", "s")
]


def saved(tmp_path, parts):
    """Parts (lists of texts) with their keys saved; their folders."""
    folders = []
    for number, texts in enumerate(parts):
        folder = tmp_path / f"part-{number:05d}"
        folder.mkdir(parents=True)
        rows = np.arange(len(texts), dtype=np.uint32)
        dedup.save(folder, "lines", dedup.keys(pl.Series(texts, dtype=pl.String)), rows)
        folders.append(folder)
    return folders


def repeats(folders, of):
    """(part, row) of everything that was there before."""
    found = {(p, int(r)) for p, f in enumerate(folders) for r in dedup.repeats_within(f, "lines")}
    for bucket in range(of):
        places = dedup.repeats_between(folders, "lines", bucket, of)
        for part in range(len(folders)):
            rows = {(part, int(row)) for row in dedup.rows_of(part, places)}
            assert not rows & found, "found twice"
            found |= rows
    return found


def naive(parts):
    seen, found = set(), set()
    for part, texts in enumerate(parts):
        for row, text in enumerate(texts):
            if text in seen:
                found.add((part, row))
            seen.add(text)
    return found


@settings(max_examples=60, deadline=None)
@given(
    parts=st.lists(st.lists(st.text("aáñ ¿", max_size=3), max_size=12), min_size=1, max_size=5),
    of=st.sampled_from([1, 2, 8]),
)
def test_what_repeats_is_what_a_naive_program_finds(tmp_path_factory, parts, of):
    folders = saved(tmp_path_factory.mktemp("keys"), parts)
    assert repeats(folders, of) == naive(parts)


def test_many_repeats_over_many_buckets(tmp_path):
    rng = random.Random(5)
    parts = [[str(rng.randrange(4000)) for _ in range(1500)] for _ in range(6)]
    assert repeats(saved(tmp_path, parts), 16) == naive(parts)


def test_buckets_grow_with_the_keys_and_not_in_size(tmp_path, monkeypatch):
    folders = saved(tmp_path, [[str(n) for n in range(p, p + 1000)] for p in range(0, 4000, 1000)])
    for most, buckets in ((4000, 1), (3999, 2), (1000, 4), (999, 8)):
        monkeypatch.setattr(dedup, "BUCKET", most)
        assert dedup.buckets(folders, "lines") == buckets
    sizes = [len(dedup._gather(folders, "lines", bucket, 8)[0]) for bucket in range(8)]
    assert sum(sizes) == 4000
    assert max(sizes) < 650, "keys fall evenly"


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=40))
def test_joined_places_are_those_of_connected_sets(pairs):
    joined = {n: {n} for n in range(31)}
    for one, other in pairs:
        both = joined[one] | joined[other]
        for member in both:
            joined[member] = both
    mentioned = {n for pair in pairs for n in pair}
    expected = sorted(n for n in mentioned if n != min(joined[n]))
    places = np.array(pairs, dtype=np.uint64).reshape(-1, 2)
    assert dedup.repeats_of(places).tolist() == expected


def test_a_long_chain_is_one_set():
    chain = np.arange(5000, dtype=np.uint64)
    pairs = np.stack([chain[:-1], chain[1:]], axis=1)
    shuffled = pairs[np.random.default_rng(3).permutation(len(pairs))]
    assert dedup.repeats_of(shuffled).tolist() == list(range(1, 5000))


def text(rng, words):
    return " ".join(rng.choice(WORDS) for _ in range(words))


def edited(rng, original, changes):
    """`original` with so many of its words replaced."""
    words = original.split()
    for place in rng.sample(range(len(words)), changes):
        words[place] = "zz" + rng.choice(WORDS)
    return " ".join(words)


def shingles(text):
    words = re.findall(r"\w+", text.lower())
    return {tuple(words[n : n + 5]) for n in range(len(words) - 4)}


def jaccard(one, other):
    a, b = shingles(one), shingles(other)
    return len(a & b) / len(a | b)


def near(tmp_path, parts, of=1):
    """(part, row) of the documents that are near copies."""
    folders, pairs = [], []
    for number, texts in enumerate(parts):
        folders.append(tmp_path / f"part-{number:05d}")
        folders[-1].mkdir(parents=True)
        dedup.save_bands(folders[-1], *dedup.sign(pl.Series(texts, dtype=pl.String)))
        pairs.append(dedup.pairs_within(number, folders[-1]))
    pairs += [dedup.pairs_between(folders, bucket, of) for bucket in range(of)]
    places = dedup.repeats_of(np.concatenate(pairs))
    return {(p, int(row)) for p in range(len(parts)) for row in dedup.rows_of(p, places)}


def test_signatures_estimate_the_similarity_of_runs_of_five_words():
    rng = random.Random(1)
    errors = []
    for number in range(300):
        one = text(rng, 200)
        other = edited(rng, one, number % 30)
        _, signed = dedup.sign(pl.Series([one, other]))
        errors.append((signed[0] == signed[1]).mean() - jaccard(one, other))
    # Each estimate has a standard error of at most 0.5 / sqrt(128) = 0.044.
    assert abs(np.mean(errors)) < 0.01
    assert np.std(errors) < 0.05


def test_near_copies_are_found_and_others_are_not(tmp_path):
    rng = random.Random(2)
    originals = [text(rng, 300) for _ in range(400)]
    # 300 words: 2 changes leave 0.93 of similarity, 25 about 0.5.
    close = [edited(rng, original, 2) for original in originals[:200]]
    far = [edited(rng, original, 25) for original in originals[200:]]
    assert min(map(jaccard, originals, close)) > 0.9
    assert max(map(jaccard, originals[200:], far)) < 0.7
    found = near(tmp_path, [originals, close + far], of=4)
    assert len(found & {(1, row) for row in range(200)}) >= 199
    assert not found - {(1, row) for row in range(200)}


def test_the_share_of_candidates_is_what_the_arithmetic_says():
    rng = random.Random(3)
    pairs = [(one, edited(rng, one, 12)) for one in (text(rng, 300) for _ in range(500))]
    expected, shared = 0.0, 0
    for one, other in pairs:
        _, signed = dedup.sign(pl.Series([one, other]))
        keys = dedup._bands(signed)
        shared += bool((keys[:, 0] == keys[:, 1]).any())
        expected += 1 - (1 - jaccard(one, other) ** dedup.ROWS) ** dedup.BANDS
    assert 0.8 * 500 < expected < 0.99 * 500
    assert abs(shared - expected) < 30


@pytest.mark.parametrize("of", [1, 4])
def test_of_near_copies_the_first_stays_wherever_they_are(tmp_path, of):
    rng = random.Random(4)
    one, other = text(rng, 400), text(rng, 400)
    parts = [
        [text(rng, 50), one, edited(rng, one, 1), edited(rng, one, 1)],
        [other, edited(rng, one, 1), text(rng, 60)],
        [edited(rng, other, 1), one, other.upper() + "!"],
    ]
    expected = {(0, 2), (0, 3), (1, 1), (2, 0), (2, 1), (2, 2)}
    assert near(tmp_path, parts, of) == expected


def test_copies_in_one_part_meet_the_other_parts_as_one(tmp_path):
    rng = random.Random(6)
    one = text(rng, 100)
    folder = tmp_path / "part"
    folder.mkdir()
    dedup.save_bands(folder, *dedup.sign(pl.Series([one] * 5000)))
    assert len(dedup._load(folder, "bands")[0]) == dedup.BANDS
    assert len(dedup.repeats_of(dedup.pairs_within(0, folder))) == 4999


def test_short_documents_are_not_compared_and_words_are_not_cut_across_documents():
    rng = random.Random(7)
    short, long = text(rng, dedup.FEWEST_WORDS - 1), text(rng, dedup.FEWEST_WORDS)
    rows, signed = dedup.sign(pl.Series([short, "", long, short, long]))
    assert rows.tolist() == [2, 4]
    assert np.array_equal(signed[0], signed[1])
    alone = dedup.sign(pl.Series([long]))[1]
    assert np.array_equal(alone[0], signed[0]), "neighbours change a signature"
    assert dedup.sign(pl.Series([short]))[1].shape == (0, dedup.PERMUTATIONS)
    assert dedup.sign(pl.Series([], dtype=pl.String))[1].shape == (0, dedup.PERMUTATIONS)


def test_signatures_do_not_depend_on_how_many_are_signed_at_a_time(monkeypatch):
    rng = random.Random(8)
    texts = pl.Series([text(rng, rng.randint(1, 40)) for _ in range(200)])
    whole = dedup.sign(texts)
    monkeypatch.setattr(dedup, "_SIGNED", 7)
    few = dedup.sign(texts)
    assert all(np.array_equal(a, b) for a, b in zip(whole, few, strict=True))


def test_lines_are_dropped_by_their_number_and_empty_documents_go():
    frame = pl.DataFrame({"id": ["a", "b", "c"], "text": ["uno\n\ndos", "tres", "cuatro\nñu"]})
    left, gone = steps.without_lines(frame, np.array([0, 3, 5]))
    assert left.rows() == [("a", "\ndos"), ("c", "cuatro")]
    assert gone.rows() == [("a", "uno"), ("b", "tres"), ("c", "ñu")]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 12), max_size=6), max_size=5),
    st.integers(1, 20),
)
def test_parts_are_cut_by_their_rows_alone(frames, size):
    rows = [count for frame in frames for count in frame]

    def cut(frames):
        made = [pl.DataFrame({"id": [""] * len(f), "text": ["x" * n for n in f]},
                             schema={"id": pl.String, "text": pl.String}) for f in frames]  # fmt: skip
        return [f["text"].str.len_bytes().to_list() for f in steps.cut(made, size)]

    parts = cut(frames)
    assert [count for part in parts for count in part] == rows
    assert parts == cut([[count] for count in rows]) == cut([rows])
    assert all(part and (sum(part) <= size or len(part) == 1) for part in parts)

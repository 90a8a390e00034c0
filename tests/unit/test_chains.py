"""Tags chosen together: decoding, marginals and likelihood against all paths counted one by one."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ligero.errors import InputError
from ligero.models.crf import CRF
from ligero.tasks import metrics, schemes
from ligero.tasks.chains import Chain
from ligero.tasks.kinds.kind import UNLABELLED

BIO = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")
BIOES = ("O", "B-PER", "I-PER", "E-PER", "S-PER")
PLAIN = ("ADJ", "DET", "NOUN", "VERB")
SCHEMES = {"BIO": BIO, "BIOES": BIOES, "plain": PLAIN}
LENGTHS = (3, 1, 4, 2)


@pytest.fixture(params=SCHEMES)
def labels(request):
    return SCHEMES[request.param]


@pytest.fixture
def crf(labels):
    """A CRF of doubles that has learned something."""
    generator = torch.Generator().manual_seed(0)
    made = CRF(labels).double()
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator, dtype=torch.float64))
    return made


@pytest.fixture
def scores(labels):
    """Of sentences of several lengths, one after another, and the owners of their words."""
    generator = torch.Generator().manual_seed(1)
    words = torch.randn(sum(LENGTHS), len(labels), generator=generator, dtype=torch.float64) * 2
    # The third example of the batch has no word.
    owner = torch.repeat_interleave(torch.tensor([0, 1, 3, 4]), torch.tensor(LENGTHS))
    return words, owner


def paths(chain, scores):
    """Every path through the words, and what it scores; minus infinity where it is forbidden."""
    for path in itertools.product(range(scores.shape[1]), repeat=len(scores)):
        total = chain.start[path[0]] + chain.end[path[-1]]
        total += sum(chain.moves[a, b] for a, b in itertools.pairwise(path))
        yield path, total + sum(scores[i, tag] for i, tag in enumerate(path))


def sentences(words):
    return np.split(words, np.cumsum(LENGTHS)[:-1])


def test_the_best_path_is_the_best_of_all(crf, scores, labels):
    for chain in (crf.chain(), schemes.allowed(labels)):
        for own in sentences(scores[0].numpy()):
            wanted = max(paths(chain, own), key=lambda pair: pair[1])[0]
            assert tuple(chain.best(own)) == wanted
            assert chain.allows(chain.best(own))
    assert tuple(crf.best(own)) == tuple(crf.chain().best(own))


def test_marginals_are_sums_over_all_paths(crf, scores, labels):
    chain = crf.chain()
    found = crf.log_marginals(*scores).detach().numpy()
    for own, mine in zip(sentences(scores[0].numpy()), sentences(found), strict=True):
        wanted = np.zeros_like(own)
        for path, total in paths(chain, own):
            wanted[np.arange(len(own)), path] += np.exp(total)
        wanted /= wanted.sum(axis=1, keepdims=True)
        np.testing.assert_allclose(np.exp(chain.log_marginals(own)), wanted, atol=1e-12)
        np.testing.assert_allclose(np.exp(mine), wanted, atol=1e-12)
        # What no path has is impossible, not merely improbable.
        assert ((wanted == 0) == np.isneginf(mine)).all()
        assert ((wanted == 0) == np.isneginf(chain.log_marginals(own))).all()


def golden(crf, scores):
    """A path for each sentence that the scheme allows, with words whose tag is not known."""
    chain = crf.chain()
    gold = np.concatenate([chain.best(own) for own in sentences(-scores[0].numpy())])
    gold[[1, 5, 6]] = UNLABELLED
    return gold


def test_the_likelihood_is_that_of_the_paths_with_the_gold_tags(crf, scores):
    gold = golden(crf, scores)
    wanted = 0.0
    for own, right in zip(sentences(scores[0].numpy()), sentences(gold), strict=True):
        every = [(path, np.exp(total)) for path, total in paths(crf.chain(), own)]
        fits = [
            p
            for path, p in every
            if all(r in (a, UNLABELLED) for a, r in zip(path, right, strict=True))
        ]
        wanted -= np.log(sum(fits) / sum(p for _, p in every))
    found = crf.loss(scores[0], torch.from_numpy(gold), scores[1])
    assert float(found.detach()) == pytest.approx(wanted, rel=1e-9)


def test_nothing_is_lost_where_no_tag_is_known_and_no_word_is_there(crf, scores):
    unknown = torch.full((len(scores[0]),), UNLABELLED)
    assert float(crf.loss(scores[0], unknown, scores[1]).detach()) == pytest.approx(0.0, abs=1e-9)
    none = scores[0][:0], unknown[:0], scores[1][:0]
    assert float(crf.loss(*none).detach()) == 0.0
    assert crf.log_marginals(none[0], none[2]).shape == none[0].shape
    assert crf.best(none[0].numpy()).shape == (0,)
    assert crf.beliefs(none[0].numpy()).shape == none[0].shape


def test_gradients(crf, scores):
    words, owner = scores
    gold = torch.from_numpy(golden(crf, scores))
    inputs = (words.clone().requires_grad_(), *crf.parameters())
    assert torch.autograd.gradcheck(lambda s, *_: crf.loss(s, gold, owner), inputs)

    def possible(s, *_):
        found = crf.log_marginals(s, owner)
        return found.masked_fill(found == -torch.inf, 0.0)

    assert torch.autograd.gradcheck(possible, inputs)


def test_half_precision_around_it_changes_nothing(crf, scores):
    crf, words = crf.float(), scores[0].float()
    gold = torch.from_numpy(golden(crf, scores))
    wanted = crf.loss(words, gold, scores[1]), crf.log_marginals(words, scores[1])
    with torch.autocast("cpu", torch.bfloat16):
        found = crf.loss(words, gold, scores[1]), crf.log_marginals(words, scores[1])
    assert all(torch.equal(a, b) for a, b in zip(wanted, found, strict=True))


def test_a_new_one_forbids_and_knows_no_more(labels, scores):
    crf, chain = CRF(labels), schemes.allowed(labels)
    for name in ("start", "moves", "end"):
        np.testing.assert_array_equal(getattr(crf.chain(), name), getattr(chain, name))
    assert set(crf.state_dict()) == {"start", "moves", "end"}
    if labels == PLAIN:
        own = scores[0].numpy()
        np.testing.assert_array_equal(crf.best(own), own.argmax(axis=1))


def follows(labels, first, second):
    return bool(
        np.isfinite(schemes.allowed(labels).moves[labels.index(first), labels.index(second)])
    )


def test_what_schemes_allow():
    assert follows(BIO, "B-PER", "I-PER") and follows(BIO, "I-PER", "I-PER")
    assert not any(follows(BIO, tag, "I-PER") for tag in ("O", "B-LOC", "I-LOC"))
    assert all(follows(BIO, tag, other) for tag in BIO for other in ("O", "B-PER", "B-LOC"))
    chain = schemes.allowed(BIOES)
    assert [follows(BIOES, "B-PER", tag) for tag in BIOES] == [False, False, True, True, False]
    assert [follows(BIOES, "E-PER", tag) for tag in BIOES] == [True, True, False, False, True]
    assert list(np.isfinite(chain.start)) == [True, True, False, False, True]
    assert list(np.isfinite(chain.end)) == [True, False, False, True, True]
    assert np.isfinite(schemes.allowed(PLAIN).moves).all()
    with pytest.raises(InputError, match=r"B-, E-, I-.*BIOES"):
        schemes.allowed(("O", "B-X", "I-X", "E-X"))


@pytest.mark.parametrize(
    ("labels", "given", "wanted"),
    [
        (BIO, "I-PER I-PER B-PER O I-LOC", "B-PER I-PER B-PER O B-LOC"),  # IOB1
        (BIO, "O I-PER B-LOC I-PER", "O B-PER B-LOC B-PER"),
        (BIO, "B-PER ? I-PER", "B-PER ? I-PER"),
        (BIO, "I-PER ? I-PER", "B-PER ? B-PER"),
        (BIOES, "B-PER O I-PER E-PER ?", "S-PER O B-PER E-PER ?"),
        (BIOES, "B-PER I-PER E-PER S-PER", "B-PER I-PER E-PER S-PER"),
    ],
)
def test_gold_tags_are_told_in_the_scheme(labels, given, wanted):
    def indices(tags):
        return np.asarray([UNLABELLED if t == "?" else labels.index(t) for t in tags.split()])

    np.testing.assert_array_equal(schemes.mended(indices(given), labels), indices(wanted))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 4), max_size=8), st.sampled_from([BIO, BIOES]))
def test_mended_tags_are_allowed_and_mean_the_same(tags, labels):
    gold = np.asarray(tags, dtype=np.int64)
    found = schemes.mended(gold, labels)
    assert schemes.allowed(labels).allows(found)
    same = [metrics.entities([labels[i] for i in each]) for each in (gold, found)]
    assert same[0] == same[1]


def test_long_sentences_and_large_scores_stay_finite():
    rng = np.random.default_rng(0)
    plain = schemes.allowed(BIO)
    chain = Chain(*(x + rng.normal(size=x.shape) * 5 for x in (plain.start, plain.moves, plain.end)),
                  learned=True)  # fmt: skip
    scores = (rng.normal(size=(400, 5)) * 50).astype(np.float32)
    found = chain.log_marginals(scores)
    np.testing.assert_allclose(np.exp(found).sum(axis=1), 1.0, atol=1e-9)
    assert chain.beliefs(scores).dtype == np.float32
    # Not learned, transitions say nothing of probabilities.
    assert plain.beliefs(scores) is scores

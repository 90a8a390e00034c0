"""Dropout and attention in training on processors: what torch's own do, from other random bits."""

import pytest
import torch
from torch import nn

import shapes
from ligero import vocab
from ligero.models import attention, build, dropout

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def tokenizer():
    return vocab.train(shapes.TEXTS * 5, size=200)


@pytest.mark.parametrize("share", [0.1, 0.25, 0.5, 0.9])
def test_the_share_is_dropped_and_the_mean_stays(share):
    torch.manual_seed(0)
    x = torch.full((400, 1001), 2.0)
    found = dropout.drop(x, share)
    dropped = (found == 0).float().mean().item()
    assert dropped == pytest.approx(share, abs=0.004)
    assert found.mean().item() == pytest.approx(2.0, abs=0.02 + 0.1 * (share > 0.5))
    # What is kept is raised by one factor, and no place is dropped more often than another.
    assert len(found.unique()) == 2
    assert (found == 0).float().mean(dim=0).std().item() < 0.04


def test_bits_follow_the_seed_and_neighbours_are_independent():
    x = torch.ones(100_000)
    torch.manual_seed(3)
    first = dropout.drop(x, 0.3)
    second = dropout.drop(x, 0.3)
    torch.manual_seed(3)
    assert torch.equal(first, dropout.drop(x, 0.3)) and not torch.equal(first, second)
    gone = (first == 0).float()
    for step in (1, 2, 3, 4):
        both = (gone[step:] * gone[:-step]).mean().item()
        assert both == pytest.approx(0.09, abs=0.005)


def test_the_gradient_is_that_of_what_was_kept():
    x = torch.randn(50, 7, dtype=torch.float64, requires_grad=True)
    found = dropout.drop(x, 0.4)
    found.sum().backward()
    assert torch.equal(x.grad != 0, found != 0)
    assert torch.allclose(found, x.detach() * x.grad)


@pytest.mark.parametrize(("share", "expected"), [(0.0, 1.0), (1.0, 0.0), (1e-9, 1.0)])
def test_nothing_and_everything(share, expected):
    assert torch.equal(dropout.drop(torch.ones(9), share), torch.full((9,), expected))


def test_empty_and_odd_shapes():
    for shape in ((0,), (1,), (3, 0, 2), (5, 1, 3), ()):
        assert dropout.drop(torch.ones(shape), 0.5).shape == shape


@pytest.mark.parametrize("name", ["ligero-tiny", "albeto-tiny", "distilbeto"])
def test_a_model_drops_only_in_training_and_attends_as_before(name, tokenizer):
    """Without dropout the gradients are those of torch's kernel, masks included."""
    labels = ("O", "B-PER", "I-PER")
    model = build.create(shapes.small(name), kind="tag", labels=labels, tokenizer=tokenizer, seed=1)
    ids = torch.randint(5, 50, (3, 12), generator=torch.Generator().manual_seed(0))
    mask = torch.ones_like(ids)
    mask[0, 5:] = mask[2, 9:] = 0
    given = {"input_ids": ids, "attention_mask": mask}
    model.eval()
    before = model(**given).logits
    attention.use(model)
    dropout.use(model)
    assert torch.equal(model(**given).logits, before)

    def gradients(own):
        for module in model.modules():
            if isinstance(module, nn.Dropout):
                module.p = 0.0
            for what in ("attention_dropout", "dropout_prob", "dropout"):
                if isinstance(getattr(module, what, None), float):
                    setattr(module, what, 0.0)
        model.set_attn_implementation(attention.NAME if own else "sdpa")
        model.train().zero_grad()
        model(**given).logits[mask.bool()].square().sum().backward()
        return torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])

    torch.manual_seed(0)
    drawn = [model.train()(**given).logits for _ in range(2)]
    assert not torch.equal(*drawn)
    assert torch.allclose(gradients(True), gradients(False), rtol=1e-3, atol=1e-5)


def test_what_is_saved_does_not_tell(tokenizer, tmp_path):
    model = build.create(
        shapes.small("ligero-tiny"), kind="tag", labels=("O", "B-PER"), tokenizer=tokenizer, seed=1
    )
    build.save(model, tokenizer, tmp_path / "a", max_length=48)
    attention.use(model)
    dropout.use(model)
    build.save(model, tokenizer, tmp_path / "b", max_length=48)
    for file in (tmp_path / "a").iterdir():
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes()

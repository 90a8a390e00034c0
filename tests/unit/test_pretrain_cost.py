"""What a pre-training means, held against torch's own count and the real models."""

import dataclasses
import json

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from ligero import config, vocab
from ligero.errors import InputError
from ligero.measure import cost as sizes
from ligero.models import catalog, language
from ligero.pretrain import cost
from ligero.pretrain.masked import Batch, scored
from ligero.pretrain.replaced import Judged
from shapes import ONE_OF_EACH, TEXTS, small

pytestmark = pytest.mark.usefixtures("one_thread")
LENGTH, HIDDEN = 48, 7


@pytest.fixture(scope="module")
def tokenizer():
    return vocab.train(TEXTS * 3, size=300)


@pytest.fixture
def make(tokenizer):
    def make(name, pairs=False):
        model = language.create(small(name), tokenizer=tokenizer, seed=1, pairs=pairs).eval()
        found = model.config.to_dict()
        return model, sizes.shape(model.config.model_type, found, found["vocab_size"])

    return make


def batch(rows=1):
    ids = torch.randint(5, 60, (rows, LENGTH), generator=torch.Generator().manual_seed(0))
    places = torch.arange(HIDDEN * rows) * 5
    return Batch({"input_ids": ids}, places, ids.reshape(-1)[places])


def counted(run):
    # What the fused attention of processors multiplies, torch does not count.
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        run()
    return counter.get_total_flops()


def size(parameters):
    return sum(p.numel() for p in parameters)


@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_forward_flops_are_torchs(name, make):
    model, shape = make(name)
    found = cost.Work(shape, "masked", trained=0).forward(LENGTH, HIDDEN)
    assert counted(lambda: scored(model, batch())) == pytest.approx(found, rel=0.01)


@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_parameters_are_the_models(name, make):
    model, shape = make(name)
    assert cost.encoder_parameters(shape) == size(model.base_model.parameters())
    whole = cost.encoder_parameters(shape) + cost.head_parameters(shape)
    assert whole == size(model.parameters())


@pytest.mark.parametrize("name", ["albeto-tiny", "beto-cased"])
def test_sentence_order_adds_a_pooler(name, make):
    model, shape = make(name, pairs=True)
    assert cost.encoder_parameters(shape, pooler=True) == size(model.base_model.parameters())
    whole = cost.encoder_parameters(shape, pooler=True) + cost.head_parameters(shape, order=True)
    assert whole == size(model.parameters())

    def run():
        _, _, pooled = scored(model, batch())
        language.order(model, pooled)

    found = cost.Work(shape, "masked+order", trained=0).forward(LENGTH, HIDDEN)
    assert counted(run) == pytest.approx(found, rel=0.001)


@pytest.mark.parametrize("name", ["ligero-tiny", "albeto-tiny", "beto-cased"])
def test_a_judge_and_its_generator(name, make, monkeypatch):
    model, shape = make(name)
    judged = Judged(model, 1, seed=1).eval()
    told = batch()

    def run():
        scored(judged.generator, told)
        judged.judged(judged.judge.base_model(**told.inputs).last_hidden_state)

    monkeypatch.setattr(cost, "shape_of", lambda reference: shape)
    found = cost.work(config.PretrainConfig(objective="replaced"))
    assert counted(run) == pytest.approx(found.forward(LENGTH, HIDDEN), rel=0.001)
    assert found.trained + found.frozen == size(judged.parameters())
    assert found.trained == size(p for p in judged.parameters() if p.requires_grad)


def test_a_student_and_its_teacher(make, monkeypatch):
    teacher, shape = make("beto-cased")
    student = language.layers_of(teacher, 2).eval()
    monkeypatch.setattr(cost, "shape_of", lambda reference: shape)
    asked = config.PretrainConfig(
        objective="distilbert", distilbert=config.GeneralConfig(teacher="beto-cased")
    )
    found = cost.work(asked)
    assert found.trained == size(student.parameters())
    assert found.frozen == size(teacher.parameters())
    own = counted(lambda: scored(student, batch()))
    theirs = counted(lambda: scored(teacher, batch()))
    together = found.training(LENGTH, HIDDEN, recompute=False)
    assert together == pytest.approx(3 * own + theirs, rel=0.001)


def test_backward_costs_twice_and_recomputing_once_more(make):
    model, shape = make("beto-cased")
    work = cost.Work(shape, "masked", trained=0)
    plain = work.training(LENGTH, HIDDEN, recompute=False)
    trained = counted(lambda: scored(model, batch())[1].sum().backward())
    assert trained == pytest.approx(plain, rel=0.001)
    again = work.training(LENGTH, HIDDEN, recompute=True)
    assert again == plain + cost.layers_flops(shape, LENGTH)


@pytest.mark.parametrize("name", [name for name in catalog.MODELS if "-base-" not in name])
def test_the_catalogs_sizes(name):
    model = catalog.find(name)
    shape = sizes.shape(model.family, model.config, model.vocab_size)
    if model.hub is None:
        assert cost.encoder_parameters(shape) == model.parameters
    else:
        # Published in millions, with the pooler that each was released with.
        found = cost.encoder_parameters(shape, pooler=model.family in ("albert", "bert"))
        assert found == pytest.approx(model.parameters, rel=0.01, abs=600_000)


def test_a_plan_adds_up():
    first = config.PhaseConfig(length=128, batch_size=8, steps=100, warmup=0.1)
    then = config.PhaseConfig(length=512, batch_size=4, steps=10)
    plan = cost.plan(config.PretrainConfig(model="ligero-nano", phase=first, then=(then,)))
    assert plan["tokens"] == 128 * 8 * 100 + 512 * 4 * 10
    assert [phase["warmup_steps"] for phase in plan["phases"]] == [10, 1]
    each = cost.plan(config.PretrainConfig(model="ligero-nano", phase=first))
    rest = cost.plan(config.PretrainConfig(model="ligero-nano", phase=then))
    assert plan["flops"] == pytest.approx(each["flops"] + rest["flops"])
    seconds = plan["flops"] / 0.3e12
    assert plan["machines"]["2 cores with AMX"]["days"] == pytest.approx(seconds / 86400)
    assert plan["memory"] == 16 * plan["trained"]
    assert plan["published"] is None
    json.dumps(plan)


def test_published_days_stand_beside_the_published_recipe_alone():
    phase = config.PhaseConfig(length=512, batch_size=2048, steps=8_300_000)
    asked = config.PretrainConfig(model="albeto-tiny:random", phase=phase)
    assert cost.plan(asked)["published"] == 58.2
    fewer = dataclasses.replace(asked, phase=dataclasses.replace(phase, steps=8_000_000))
    assert cost.plan(fewer)["published"] is None


def test_a_folder_says_its_own_shape(make, tmp_path):
    model, shape = make("ligero-tiny")
    (tmp_path / "config.json").write_text(json.dumps(model.config.to_dict()))
    plan = cost.plan(config.PretrainConfig(model=str(tmp_path)))
    assert plan["parameters"] == cost.encoder_parameters(shape)
    assert plan["entries"] == model.config.vocab_size
    half = cost.plan(config.PretrainConfig(model=str(tmp_path), layers=2))
    assert half["parameters"] == cost.encoder_parameters(cost.cut(shape, 2))


@pytest.mark.parametrize("content", ["", "{}", '{"model_type": "gpt2", "vocab_size": 9}'])
def test_what_has_no_shape(content, tmp_path):
    (tmp_path / "config.json").write_text(content)
    with pytest.raises(InputError):
        cost.plan(config.PretrainConfig(model=str(tmp_path)))

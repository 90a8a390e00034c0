"""Every recipe is read, and says what the papers say."""

from pathlib import Path

import pytest

from ligero import config
from ligero.measure import cost as sizes
from ligero.models.reference import resolve
from ligero.pretrain import cost

FOLDER = Path(__file__).parents[2] / "recipes" / "pretrain"
NAMES = sorted(path.stem for path in FOLDER.glob("*.toml"))

# ALBETO and DistilBETO, Table 2: learning rate, batch, steps of warm-up, steps, days.
TABLE_2 = {
    "albeto-tiny": (1.25e-3, 2048, 125_000, 8_300_000, 58.2),
    "albeto-base": (8.83e-4, 960, 53_333, 3_650_000, 70.4),
    "albeto-large": (6.25e-4, 512, 12_500, 1_450_000, 42.0),
    "albeto-xlarge": (3.12e-4, 128, 6_250, 2_775_000, 64.2),
    "albeto-xxlarge": (3.12e-4, 128, 3_125, 1_650_000, 70.7),
}


def recipe(name):
    table = config.read_toml(FOLDER / f"{name}.toml")
    return config.build(config.PretrainConfig, table)


def test_all_are_there():
    assert set(NAMES) >= {*TABLE_2, "beto-cased", "beto-uncased", "distilbeto", "ligero-tiny"}


@pytest.mark.parametrize("name", NAMES)
def test_every_recipe_is_read_and_planned(name):
    found = recipe(name)
    model = resolve(found.model)
    assert model.architecture is not None
    sized = found.layers is not None
    further = name.startswith(f"{model.architecture.name}-")
    assert sized or further or model.architecture.name == name
    # From nothing: published weights would be gone on from. DistilBERT's start is its teacher's; stacked
    # or cut layers are those of a model that was trained, as is one that reads on.
    assert model.is_random != (sized or further)
    for phase in (found.phase, *found.then):
        assert phase.length <= model.architecture.max_length
        assert phase.warmup * phase.steps >= 1
    plan = cost.plan(found)
    assert plan["flops"] > 0
    pooled = sizes.shape(
        model.architecture.family, model.architecture.config, model.architecture.vocab_size
    )
    if sized:
        pooled = sizes.cut(pooled, found.layers)
    order = found.objective == "masked+order"
    if found.objective != "distilbert":
        assert plan["parameters"] == cost.encoder_parameters(pooled, pooler=order)
    # Its first lines say where it is from and what of it is a choice, and how to use it.
    begins = (FOLDER / f"{name}.toml").read_text(encoding="utf-8").partition("\nmodel =")[0]
    assert all(line.startswith("#") for line in begins.splitlines())
    assert "ur choice" in begins
    assert f"ligero pretrain --config recipes/pretrain/{name}.toml" in begins


@pytest.mark.parametrize("name", TABLE_2)
def test_albeto_is_table_2(name):
    rate, batch, warmup, steps, days = TABLE_2[name]
    found = recipe(name)
    phase = found.phase
    assert (phase.learning_rate, phase.batch_size, phase.steps) == (rate, batch, steps)
    assert round(phase.warmup * phase.steps) == warmup
    assert (phase.length, found.then) == (512, ())
    assert (found.objective, found.optimizer) == ("masked+order", "lamb")
    assert cost.plan(found)["published"] == days


@pytest.mark.parametrize("name", ["beto-cased", "beto-uncased"])
def test_beto_has_two_phases(name):
    found = recipe(name)
    (then,) = found.then
    assert (found.phase.length, found.phase.batch_size) == (128, 2048)
    assert (then.length, then.batch_size) == (512, 256)
    assert found.phase.steps + then.steps == 2_000_000
    assert found.mask == config.MaskConfig(rate=0.15, whole_words=True, mask=0.8, random=0.1)
    assert [round(p.warmup * p.steps) for p in (found.phase, then)] == [10_000, 10_000]


def test_both_betos_differ_in_name_alone():
    one, other = recipe("beto-cased"), recipe("beto-uncased")
    assert config.identity(one) | {"model": ""} == config.identity(other) | {"model": ""}


def test_distilbeto_follows_distilbert():
    found = recipe("distilbeto")
    assert found.objective == "distilbert"
    assert found.phase.steps == 90_000
    told = found.distilbert
    assert (told.kl, told.mlm, told.cosine, told.temperature) == (5, 2, 1, 2)
    # Half of BETO's layers, without segments and pooler: the catalog's own shape.
    model = resolve(found.model).architecture
    shape = sizes.shape(model.family, model.config, model.vocab_size)
    assert cost.work(found).shape == shape

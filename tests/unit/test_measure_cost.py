"""What models cost, held against torch's own counter, transformers' models and the papers' files."""

import math

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode
from transformers import AutoModelForSequenceClassification
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

from ligero.errors import InputError
from ligero.measure import cost
from ligero.measure.published import speeds
from ligero.models import build, catalog
from ligero.models.reference import Reference, resolve
from shapes import ONE_OF_EACH

LENGTH = 24
# What THOP counted for one text of 128 and of 512 sub-words: speed-results/clean_benchmark_100.csv
# and albetos_clean_benchmark_100.csv in the repository of Speedy Gonzales.
RELEASED = {
    "beto-uncased": (10_882_058_496, 43_526_457_600),
    "beto-cased": (10_882_058_496, 43_526_457_600),
    "distilbeto": (5_441_521_920, 21_764_311_296),
    "albeto-tiny": (604_635_112, 2_418_245_608),
    "albeto-base": (10_894_313_728, 43_575_478_528),
    "albeto-large": (38_697_765_888, 154_787_908_608),
    "albeto-xlarge": (154_706_974_720, 618_815_297_536),
    "albeto-xxlarge": (309_371_940_864, 1_237_437_394_944),
    "bertin": (10_882_058_496, 43_526_457_600),
    "roberta-bne-base": (10_882_058_496, 43_526_457_600),
    "roberta-bne-large": (38_681_447_424, 154_722_634_752),
    "albeto-base-2": (1_826_752_768, 7_305_234_688),
    "albeto-base-4": (3_640_264_960, 14_559_283_456),
    "albeto-base-6": (5_453_777_152, 21_813_332_224),
    "albeto-base-8": (7_267_289_344, 29_067_380_992),
    "albeto-base-10": (9_080_801_536, 36_321_429_760),
}

# What they counted as parameters, classifier and all, from the same files.
SIZES = {
    "beto-cased": 109_853_187,
    "distilbeto": 67_324_419,
    "albeto-tiny": 5_345_075,
    "albeto-base-6": 11_813_891,
    "albeto-large": 17_815_043,
    "albeto-xlarge": 58_859_011,
    "albeto-xxlarge": 222_735_875,
    "roberta-bne-large": 355_359_747,
}


def shape(name):
    return cost.shape_of(resolve(name))


@pytest.fixture(scope="module", params=ONE_OF_EACH)
def classifier(request):
    """A catalog's model at its own size, without memory, as the papers measured: three labels."""
    found = catalog.find(request.param)
    config = CONFIG_MAPPING[found.family](
        vocab_size=found.vocab_size, pad_token_id=1, num_labels=3, **build.thaw(found.config)
    )
    with torch.device("meta"):
        model = AutoModelForSequenceClassification.from_config(config, attn_implementation="eager")
    return shape(request.param), model.eval()


def run(model):
    with torch.no_grad():
        model(input_ids=torch.ones(1, LENGTH, dtype=torch.long, device="meta"))


def test_macs_are_torchs(classifier):
    s, model = classifier
    with FlopCounterMode(display=False) as counter:
        run(model)
    head = s.hidden**2 + 3 * s.hidden
    # Rotary angles are a product of matrices as well, though a very small one.
    assert counter.get_total_flops() / 2 - head == pytest.approx(cost.macs(s, LENGTH), rel=1e-4)


def test_papers_macs_are_those_of_layers_and_norms(classifier):
    s, model = classifier
    seen = []

    def linear(module, inputs, output):
        seen.append(module.in_features * output.numel())

    def norm(module, inputs, output):
        seen.append(4 * output.numel())

    hooks = [
        module.register_forward_hook(linear if isinstance(module, nn.Linear) else norm)
        for module in model.modules()
        if isinstance(module, nn.Linear | nn.LayerNorm)
    ]
    run(model)
    for hook in hooks:
        hook.remove()
    assert sum(seen) == cost.papers_macs(s, LENGTH)


def test_parameters_are_the_models(classifier):
    s, model = classifier
    inside = (p.numel() for name, p in model.base_model.named_parameters() if "pooler" not in name)
    assert sum(inside) == cost.encoder_parameters(s)
    whole = cost.encoder_parameters(s) + cost.classifier_parameters(s)
    assert sum(p.numel() for p in model.parameters()) == whole


@pytest.mark.parametrize("name", SIZES)
def test_parameters_are_the_released_ones(name):
    s = shape(name)
    assert cost.encoder_parameters(s) + cost.classifier_parameters(s) == SIZES[name]


def test_the_catalog_has_every_model_of_the_papers():
    assert set(RELEASED) == set(speeds())


@pytest.mark.parametrize("name", RELEASED)
def test_papers_macs_are_the_released_ones(name):
    assert (cost.papers_macs(shape(name), 128), cost.papers_macs(shape(name))) == RELEASED[name]


@pytest.mark.parametrize("name", RELEASED)
def test_table_3_is_those_macs_cut_to_two_decimals_twice(name):
    beto, own = (math.floor(cost.papers_macs(shape(n)) / 1e7) for n in ("beto-cased", name))
    assert math.floor(100 * beto / own) / 100 == speeds()[name].speedup


def test_effective_parameters_are_those_of_the_untied_model():
    tied = shape("albeto-base")
    # BERT base has the same layers and computation; its embeddings are as wide as its states.
    untied = shape("beto-cased")
    layers = cost.encoder_parameters(untied) - (31_002 + 512 + 2 + 2) * 768
    embeddings = (31_000 + 512 + 2 + 2) * 128 + 128 * 768 + 768
    assert cost.effective_parameters(tied) == layers + embeddings
    assert cost.effective_parameters(untied) == cost.encoder_parameters(untied)
    # Fewer applications of one layer: as many weights, less computation.
    half = shape("albeto-base-6")
    assert cost.encoder_parameters(half) == cost.encoder_parameters(tied)
    assert cost.effective_parameters(half) < cost.effective_parameters(tied)


def test_bytes_follow_the_precision():
    sizes = [cost.weight_bytes(1_000, p) for p in ("fp32", "bf16", "fp16", "int8")]
    assert sizes == [4_000, 2_000, 2_000, 1_000]


def test_a_shape_that_is_not_at_hand():
    with pytest.raises(InputError, match="not at hand"):
        cost.shape_of(Reference("a/b", weights="a/b"))
    with pytest.raises(InputError, match="a model of type gpt2"):
        cost.shape("gpt2", {}, 10)

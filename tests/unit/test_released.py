"""The weights that come with ligero: whole, small, explained, and read by plain transformers."""

import json
import re

import pytest
import torch
from safetensors import safe_open
from transformers import AutoModelForMaskedLM, AutoTokenizer

from ligero import vocab
from ligero.models import build, catalog
from ligero.models.reference import RELEASED, resolve
from ligero.runs import verify

NAMES = [m.name for m in catalog.MODELS.values() if m.released and not m.cut_from]


@pytest.fixture(scope="module", params=NAMES)
def folder(request):
    return RELEASED / request.param


def test_it_is_whole_and_small(folder):
    assert verify(folder)["files"].keys() >= {"model.safetensors", "tokenizer.json", "README.md"}
    weights = folder / "model.safetensors"
    assert weights.stat().st_size <= 20_000_000
    with safe_open(weights, "pt") as file:
        kinds = {file.get_tensor(name).dtype for name in file.keys()}  # noqa: SIM118
    assert kinds == {torch.float16}


def test_plain_transformers_guesses_words_with_it(folder):
    model = AutoModelForMaskedLM.from_pretrained(folder).float().eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    guesses = {
        "Los niños [MASK] muy contentos.": {"están", "estaban", "eran", "son"},
        "La [MASK] de la República aprobó la ley.": {"Presidencia", "Constitución", "presidenta"},
        "Vive en una casa muy [MASK].": {"grande", "bonita", "buena", "hermosa", "pequeña"},
    }
    right = 0
    for text, wanted in guesses.items():
        given = tokenizer(text, return_tensors="pt")
        given.pop("token_type_ids", None)
        with torch.inference_mode():
            logits = model(**given).logits[0]
        (place,) = (given["input_ids"][0] == tokenizer.mask_token_id).nonzero()[0].tolist()
        best = [tokenizer.decode([i]).strip() for i in logits[place].topk(20).indices.tolist()]
        right += bool(wanted & set(best))
    assert right >= 2


def test_the_catalog_says_what_it_is(folder):
    known = catalog.find(folder.name)
    config = json.loads((folder / "config.json").read_text())
    for key, value in build.thaw(known.config).items():
        if "dropout" not in key:
            assert config[key] == value, key
    assert config["vocab_size"] == known.vocab_size
    tokenizer = build.load_tokenizer(folder)
    assert tokenizer.get_vocab_size() == known.vocab_size
    assert vocab.special_ids(tokenizer)["pad_id"] == config["pad_token_id"]


@pytest.mark.parametrize("name", [m.name for m in catalog.MODELS.values() if m.released])
def test_a_task_starts_from_it_without_a_network(name):
    reference = resolve(name)
    assert not reference.is_random and resolve(f"{name}:random").is_random
    model = build.load(
        build.locate(reference.weights), kind="tag", labels=("O", "B-X"), layers=reference.layers,
        seed=0,
    )  # fmt: skip
    layers = catalog.find(name).config["num_hidden_layers"]
    assert len(model.model.layers) == model.config.num_hidden_layers == layers
    encoder = sum(p.numel() for p in model.model.parameters())
    assert encoder == catalog.find(name).parameters


def test_its_card_names_what_it_was_made_of(folder):
    card = (folder / "README.md").read_text()
    for said in ("license: apache-2.0", "pipeline_tag: fill-mask", "loss", "hours", "sub-words"):
        assert said in card
    for source in ("ParlaMint", "ELTeC", "IMPO", "OpenStax", "Tatoeba", "MEDDOCAN", "Python"):
        assert source in card
    figures = re.findall(r"\| (?:ner|pos)-\S+ \| .* \| (\d+\.\d\d) ± \d+\.\d\d \|", card)
    assert len(figures) == 4 and all(float(f) > 40 for f in figures)

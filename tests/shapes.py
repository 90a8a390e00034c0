"""Every architecture at a size that a test can afford, and how to look at such a model."""

import dataclasses
import json

import torch

from ligero.models import build, catalog

LABELS = {
    "tag": ("O", "B-PER", "I-PER", "B-LOC"),
    "classify": ("política", "deportes", "economía"),
    "answer": ("start", "end"),
    "parse": ("det", "nsubj", "obj", "root"),
}
TEXTS = ["El niño de Logroño.", "Sí", "La niña come pan con aceite; 5 % más, ¿no?"]
# What makes a model small; every other setting is the catalog's.
SMALL = {
    "hidden_size": 64,
    "num_attention_heads": 2,
    "intermediate_size": 96,
    "num_hidden_layers": 4,
    "embedding_size": 32,
    "dim": 64,
    "n_heads": 2,
    "hidden_dim": 96,
    "n_layers": 4,
    "layer_types": ("full_attention",) + 2 * ("sliding_attention",) + ("full_attention",),
}
ONE_OF_EACH = ("beto-cased", "albeto-tiny", "distilbeto", "bertin", "ligero-tiny")


def small(name: str) -> catalog.Architecture:
    architecture = catalog.find(name)
    changed = {key: value for key, value in SMALL.items() if key in architecture.config}
    return dataclasses.replace(architecture, config={**architecture.config, **changed})


def batch(tokenizer, **extra) -> dict[str, torch.Tensor]:
    """The texts, padded to the longest."""
    encoded = tokenizer.encode_batch(TEXTS)
    width = max(len(e) for e in encoded)
    ids = torch.zeros(len(encoded), width, dtype=torch.long)
    mask = torch.zeros_like(ids)
    for row, e in enumerate(encoded):
        ids[row, : len(e)] = torch.tensor(e.ids)
        mask[row, : len(e)] = 1
    return {"input_ids": ids, "attention_mask": mask, **extra}


@torch.no_grad()
def scores(model, inputs) -> torch.Tensor:
    """Scores with the labels last, zero where padding makes them meaningless."""
    if hasattr(model, "parser"):
        return relations(model, inputs)
    output = model(**inputs)
    if hasattr(output, "start_logits"):
        logits = torch.stack([output.start_logits, output.end_logits], dim=-1)
    else:
        logits = output.logits
    return logits * inputs["attention_mask"].unsqueeze(-1) if logits.ndim == 3 else logits


def relations(model, inputs) -> torch.Tensor:
    """A parser's scores of relations, every sub-word but the first being a word."""
    present = inputs["attention_mask"].bool()
    units = torch.stack(
        torch.meshgrid(*(torch.arange(size) for size in present.shape), indexing="ij"), dim=-1
    )
    output = model(**inputs, units=units, present=present)
    assert output.heads.shape == (len(units), units.shape[1] - 1, units.shape[1])
    return output.relations * present[:, 1:].unsqueeze(-1)


def head(model) -> dict[str, torch.Tensor]:
    name, layer = build._label_layer(model)
    return {f"{name}.{key}": value.clone() for key, value in layer.named_parameters()}


def equal(one, other) -> bool:
    return build.weights_hash(one) == build.weights_hash(other)


def changed(folder, **settings) -> None:
    config = json.loads((folder / "config.json").read_text()) | settings
    (folder / "config.json").write_text(json.dumps(config))

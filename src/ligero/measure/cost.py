"""What a model costs before it runs: parameters, bytes, operations. Arithmetic on shapes; no torch.

An operation is a multiplication or an addition in a product of matrices (FLOP), two for each
multiply-accumulate (MAC). Soft-max, activations and normalisation are left out, except where the
papers' count has them. `tests/unit/test_measure_cost.py` holds all of it against torch's own
counter, and against the counts that the papers' authors released.
"""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ligero.errors import InputError
from ligero.models import catalog
from ligero.models.reference import Reference, finished

# Bytes of one weight. What a format adds (scales of int8), or keeps wider, is not counted.
WIDTHS = {"fp32": 4, "bf16": 2, "fp16": 2, "int8": 1}

# The papers measured a classifier of three labels, XNLI's, on one text of this many sub-words.
LABELS, LENGTH = 3, 512
# Operations that their counter takes for each element of a normalisation with weights: mean,
# variance and quotient as two, and as many again for weight and bias.
NORM = 4


@dataclass(frozen=True)
class Shape:
    """An encoder by the widths that its cost follows from.

    entries: of the vocabulary. hidden, inner: widths of the states and of the feed-forward.
    layers: how often a layer is applied; kept: layers whose weights differ. embedding: width of
    the embeddings. positions, segments: rows of their tables, 0 where there is none.
    """

    family: str
    entries: int
    hidden: int
    inner: int
    layers: int
    kept: int
    embedding: int
    positions: int
    segments: int

    @property
    def is_modern(self) -> bool:
        """ModernBERT's block: gated feed-forward, no biases, one normalisation fewer."""
        return self.family == "modernbert"


def shape(family: str, config: Mapping[str, Any], entries: int) -> Shape:
    """The shape that a configuration of transformers, or the catalog's, describes.

    Raises InputError for a family that does not learn to guess words here.
    """
    names = {
        "hidden_size": "dim",
        "intermediate_size": "hidden_dim",
        "num_hidden_layers": "n_layers",
    }
    if family not in ("albert", "bert", "distilbert", "modernbert", "roberta"):
        raise InputError(f"a model of type {family}", expected="BERT, or one of its kin")

    def value(name: str) -> int:
        return int(config[names.get(name, name) if family == "distilbert" else name])

    layers, hidden = value("num_hidden_layers"), value("hidden_size")
    return Shape(
        family=family,
        entries=entries,
        hidden=hidden,
        inner=value("intermediate_size"),
        layers=layers,
        kept=int(config["num_hidden_groups"]) if family == "albert" else layers,
        embedding=int(config["embedding_size"]) if family == "albert" else hidden,
        positions=0 if family == "modernbert" else value("max_position_embeddings"),
        segments=0 if family in ("distilbert", "modernbert") else int(config["type_vocab_size"]),
    )


def encoder_parameters(s: Shape, *, pooler: bool = False) -> int:
    """Parameters of the encoder without any head; `pooler`: with what sentence order reads."""
    h, f = s.hidden, s.inner
    if s.is_modern:
        # Embeddings and their norm; the first layer has no norm before attention, all share none.
        return s.entries * h + h + s.kept * (4 * h * h + 3 * h * f + 2 * h) - h + h
    embeddings = (s.entries + s.positions + s.segments + 2) * s.embedding
    widened = s.embedding * h + h if s.family == "albert" else 0
    layer = 4 * (h * h + h) + (2 * h * f + f + h) + 4 * h
    return embeddings + widened + s.kept * layer + (h * h + h if pooler else 0)


def head_parameters(s: Shape, *, order: bool = False) -> int:
    """Parameters of the vocabulary's head, whose matrix is the embeddings' own; with that of order."""
    e = s.embedding
    dense = s.hidden * e + (0 if s.is_modern else e)
    return dense + (e if s.is_modern else 2 * e) + s.entries + (2 * s.hidden + 2 if order else 0)


def layers_flops(s: Shape, length: int) -> int:
    """FLOP of all layers over one window, forward. Attention within a distance costs all of it:
    the products are masked, not left out."""
    linear = 4 * s.hidden**2 + (3 if s.is_modern else 2) * s.hidden * s.inner
    attention = 2 * length * s.hidden
    return 2 * s.layers * length * (linear + attention)


def encoder_flops(s: Shape, length: int, *, pooler: bool = False) -> int:
    """FLOP of the encoder over one window, forward."""
    widened = 2 * length * s.embedding * s.hidden if s.family == "albert" else 0
    return layers_flops(s, length) + widened + (2 * s.hidden**2 if pooler else 0)


def head_flops(s: Shape) -> int:
    """FLOP of scoring the whole vocabulary at one position, forward."""
    return 2 * (s.hidden * s.embedding + s.embedding * s.entries)


def cut(s: Shape, layers: int) -> Shape:
    """The shape with fewer layers; of tied ones, as many weights as there were."""
    kept = s.kept if s.family == "albert" else layers
    return dataclasses.replace(s, layers=layers, kept=kept)


def shape_of(reference: Reference) -> Shape:
    """The shape of a model of the catalog, under its name or its hub id, or of a folder.

    Raises InputError where it is not at hand, and for a family that `shape` refuses.
    """
    known = reference.architecture or next(
        (m for m in catalog.MODELS.values() if m.hub == reference.weights and not m.cut_from), None
    )
    if known is not None:
        return shape(known.family, known.config, known.vocab_size)
    file = finished(Path(str(reference.weights))) / "config.json"
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        made = shape(found["model_type"], found, int(found["vocab_size"]))
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(
            f"the model {reference.name!r}, whose shape is not at hand",
            expected="a name of the catalog (ligero models lists them), or a model's folder",
        ) from None
    return made if reference.layers is None else cut(made, reference.layers)


def classifier_parameters(s: Shape) -> int:
    """Parameters of a classifier of three labels, which the papers' sizes include: a dense layer,
    which is BERT's pooler, and the labels' own. ModernBERT's has no biases, but a norm's weights.
    """
    return s.hidden**2 + s.hidden + LABELS * (s.hidden + 1)


def effective_parameters(s: Shape) -> int:
    """Parameters of the encoder, those of tied layers once for each time that they are applied.

    It is what an encoder of the same computation would hold without tying; see encoder_parameters
    for those that are stored.
    """
    return encoder_parameters(dataclasses.replace(s, kept=s.layers))


def weight_bytes(parameters: int, precision: str = "fp32") -> int:
    """Bytes of so many weights, on disk and in memory alike. precision: one of WIDTHS."""
    return parameters * WIDTHS[precision]


def macs(s: Shape, length: int) -> int:
    """MACs of the encoder over one text: all products of matrices, those of attention's scores
    and of their mixing of values among them. No pooler, no head."""
    return encoder_flops(s, length) // 2


def papers_macs(s: Shape, length: int = LENGTH) -> int:
    """MACs of one text as Speedy Gonzales counts them (Section 3.4; Table 3 at length 512).

    Their counter, THOP, asks layers and not operations. It sees every linear layer, the widening
    of ALBERT's embeddings and the pooler or its like among them, and four operations for each
    element of a normalisation. It sees neither of attention's own products, which are functions
    and not layers. The model is a classifier of three labels. Their released counts
    (`speed-results` in their repository) come out to the last digit.
    """
    linear = encoder_flops(s, length) - 4 * s.layers * s.hidden * length**2
    # Every family's classifier has one dense layer of the hidden width before its labels.
    classifier = s.hidden**2 + LABELS * s.hidden
    rows = 2 * s.layers * s.hidden + s.embedding
    normalised = length * rows
    if s.is_modern:
        # One norm fewer in the first layer and one at the end: as many. The head has one as well.
        normalised += s.hidden
    return linear // 2 + classifier + NORM * normalised

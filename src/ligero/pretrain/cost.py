"""What a pre-training means before it begins: sub-words, operations, days, memory. No torch.

Arithmetic on the catalog's shapes. An operation is a multiplication or an addition in a product of
matrices (FLOP; two for each MAC); soft-max, normalisation and the optimiser's own are left out, as
in the papers, and are what the hardware's sustained rate has to answer for.
"""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ligero.config import PhaseConfig, PretrainConfig
from ligero.errors import InputError
from ligero.models import catalog
from ligero.models.reference import Reference, finished, resolve

# Weights, their gradients and two moments, four bytes each: AdamW and LAMB alike.
BYTES_TRAINED, BYTES_FROZEN = 16, 4
DAY = 86_400.0
# A product of matrices costs its backward pass twice what it costs forward.
FORWARD_AND_BACKWARD = 3


@dataclass(frozen=True)
class Machine:
    """Hardware and what it sustains in training: FLOP a second, and why we think so."""

    name: str
    rate: float
    why: str


# 40% of the peak is what well-kept training code reaches. By the count below ALBETO's published
# days come to 16% (tiny), 40% (base), 49%, 59% and 62% (xxlarge): wide layers keep hardware busier.
MACHINES = (
    Machine("2 cores with AMX", 0.3e12, "0.3 TFLOP/s"),
    Machine("RTX 3090", 0.4 * 71e12, "40% of 71 TFLOP/s, bf16"),
    Machine("H100", 0.4 * 990e12, "40% of 990 TFLOP/s, bf16"),
    Machine("TPU v3-8", 0.4 * 420e12, "40% of 420 TFLOP/s, bf16"),
)

# Model -> sub-words seen and days on a TPU v3-8 (ALBETO and DistilBETO, Table 2; length 512).
PUBLISHED = {
    "albeto-tiny": (8_300_000 * 2048 * 512, 58.2),
    "albeto-base": (3_650_000 * 960 * 512, 70.4),
    "albeto-large": (1_450_000 * 512 * 512, 42.0),
    "albeto-xlarge": (2_775_000 * 128 * 512, 64.2),
    "albeto-xxlarge": (1_650_000 * 128 * 512, 70.7),
}


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


@dataclass(frozen=True)
class Work:
    """What an objective trains and runs, over one model.

    shape: of the encoder that is wanted. trained, frozen: parameters. teacher, generator: what
    runs beside it, if anything does.
    """

    shape: Shape
    objective: str
    trained: int
    frozen: int = 0
    teacher: Shape | None = None
    generator: Shape | None = None

    def forward(self, length: int, hidden: float) -> float:
        """FLOP of one window's forward pass with `hidden` places to guess, the teacher's left out."""
        order = self.objective == "masked+order"
        encoder = encoder_flops(self.shape, length, pooler=order)
        if self.generator is not None:
            # The judge has no vocabulary's head, and a verdict at every position.
            verdicts = 2 * length * (self.shape.hidden**2 + self.shape.hidden)
            guesses = encoder_flops(self.generator, length) + hidden * head_flops(self.generator)
            return encoder + verdicts + guesses
        return encoder + hidden * head_flops(self.shape) + (4 * self.shape.hidden if order else 0)

    def training(self, length: int, hidden: float, *, recompute: bool) -> float:
        """FLOP of one window in training: forward, backward, and what is run twice or beside."""
        total = FORWARD_AND_BACKWARD * self.forward(length, hidden)
        if recompute:
            total += layers_flops(self.shape, length)
            total += layers_flops(self.generator, length) if self.generator else 0
        if self.teacher is not None:
            total += encoder_flops(self.teacher, length) + hidden * head_flops(self.teacher)
        return total


def work(config: PretrainConfig) -> Work:
    """What a configuration trains; InputError for a model whose shape is not at hand."""
    objective = config.objective
    if objective == "distilbert":
        if not config.distilbert.teacher:
            raise InputError("no teacher", expected="--distilbert.teacher FOLDER")
        return _distilled(config)
    s = _shape(resolve(config.model))
    if config.layers:
        s = _cut(s, config.layers)
    trained = encoder_parameters(s, pooler=objective == "masked+order")
    if objective != "replaced":
        return Work(s, objective, trained + head_parameters(s, order=objective == "masked+order"))
    generator = _cut(s, min(config.replaced.layers, s.layers))
    shared = (s.entries + s.positions + s.segments + (1 if s.is_modern else 2)) * s.embedding
    trained += encoder_parameters(generator) - shared + head_parameters(generator)
    trained += s.hidden**2 + 2 * s.hidden + 1
    # The judge keeps the vocabulary's head of its class, which nothing asks.
    return Work(s, objective, trained, frozen=head_parameters(s), generator=generator)


def _distilled(config: PretrainConfig) -> Work:
    teacher = _shape(resolve(config.distilbert.teacher))
    student = _cut(teacher, config.layers or -(-teacher.layers // 2))
    if teacher.family == "bert":
        student = dataclasses.replace(student, family="distilbert", segments=0)
    return Work(
        student,
        "distilbert",
        encoder_parameters(student) + head_parameters(student),
        frozen=encoder_parameters(teacher) + head_parameters(teacher),
        teacher=teacher,
    )


def _cut(s: Shape, layers: int) -> Shape:
    """The shape with fewer layers; tied ones stay as many as there were."""
    kept = s.kept if s.family == "albert" else layers
    return dataclasses.replace(s, layers=layers, kept=kept)


def _shape(reference: Reference) -> Shape:
    """The shape of a model of the catalog, under its name or its hub id, or of a folder."""
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
    return made if reference.layers is None else _cut(made, reference.layers)


def tokens(phase: PhaseConfig) -> int:
    """Sub-words that a phase sees, special tokens included."""
    return phase.steps * phase.batch_size * phase.length


def guessed(config: PretrainConfig, length: int) -> float:
    """Places of a window that are to be guessed, as the rate asks for."""
    return config.mask.rate * (length - 2)


def plan(config: PretrainConfig) -> dict[str, Any]:
    """What a configuration means, as JSON.

    model; parameters, of the encoder; entries; trained, frozen: parameters of all that is in
    memory; memory: bytes of weights, gradients and moments; tokens; flops; phases: its settings
    with warmup_steps, tokens and flops; machines: name -> days, and why; published: days, or None.

    Raises InputError for a model whose shape is not at hand.
    """
    found = work(config)
    phases = []
    for phase in (config.phase, *config.then):
        each = found.training(
            phase.length, guessed(config, phase.length), recompute=config.recompute
        )
        phases.append(
            {
                **dataclasses.asdict(phase),
                "warmup_steps": round(phase.warmup * phase.steps),
                "tokens": tokens(phase),
                "flops": each * phase.steps * phase.batch_size,
            }
        )
    flops = sum(p["flops"] for p in phases)
    seen = sum(p["tokens"] for p in phases)
    name = config.model.partition(":")[0]
    published = PUBLISHED.get(name, (None, None))
    return {
        "model": config.model,
        "objective": config.objective,
        "parameters": encoder_parameters(found.shape, pooler=config.objective == "masked+order"),
        "entries": found.shape.entries,
        "trained": found.trained,
        "frozen": found.frozen,
        "memory": BYTES_TRAINED * found.trained + BYTES_FROZEN * found.frozen,
        "tokens": seen,
        "flops": flops,
        "phases": phases,
        "machines": {m.name: {"days": flops / m.rate / DAY, "why": m.why} for m in MACHINES},
        "published": published[1] if published[0] == seen else None,
    }

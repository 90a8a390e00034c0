"""What a pre-training means before it begins: sub-words, operations, days, memory. No torch.

Arithmetic on shapes, whose operations `ligero.measure.cost` counts: those of products of matrices.
Soft-max, normalisation and the optimiser's own are left out, and are what the hardware's sustained
rate has to answer for.
"""

import dataclasses
from dataclasses import dataclass
from typing import Any

from ligero.config import PhaseConfig, PretrainConfig
from ligero.errors import InputError
from ligero.measure.cost import (
    Shape,
    cut,
    encoder_flops,
    encoder_parameters,
    head_flops,
    head_parameters,
    layers_flops,
    shape_of,
)
from ligero.models.reference import resolve

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
    s = shape_of(resolve(config.model))
    if config.layers:
        s = cut(s, config.layers)
    trained = encoder_parameters(s, pooler=objective == "masked+order")
    if objective != "replaced":
        return Work(s, objective, trained + head_parameters(s, order=objective == "masked+order"))
    generator = cut(s, min(config.replaced.layers, s.layers))
    shared = (s.entries + s.positions + s.segments + (1 if s.is_modern else 2)) * s.embedding
    trained += encoder_parameters(generator) - shared + head_parameters(generator)
    trained += s.hidden**2 + 2 * s.hidden + 1
    # The judge keeps the vocabulary's head of its class, which nothing asks.
    return Work(s, objective, trained, frozen=head_parameters(s), generator=generator)


def _distilled(config: PretrainConfig) -> Work:
    teacher = shape_of(resolve(config.distilbert.teacher))
    student = cut(teacher, config.layers or -(-teacher.layers // 2))
    if teacher.family == "bert":
        student = dataclasses.replace(student, family="distilbert", segments=0)
    return Work(
        student,
        "distilbert",
        encoder_parameters(student) + head_parameters(student),
        frozen=encoder_parameters(teacher) + head_parameters(teacher),
        teacher=teacher,
    )


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

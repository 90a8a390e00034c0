"""A recipe shrunk to what there is time for, its shape kept.

Imports torch only to measure, so that a plan needs none.
"""

import dataclasses
import json
import math
import os
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ligero.config import PhaseConfig, PretrainConfig, identity
from ligero.errors import InputError, excerpt
from ligero.pretrain.cost import tokens
from ligero.report.pretrain import amount
from ligero.runs import read_json

if TYPE_CHECKING:
    from ligero.pretrain.stage import Text

SCALE = "scale.json"
SUB_WORDS = {"": 1, "k": 1e3, "K": 1e3, "M": 1e6, "B": 1e9}
SECONDS = {"s": 1, "min": 60, "h": 3600, "d": 86_400}
EXPECTED = "sub-words, such as 100M (k, M, B), or time, such as 30min or 2h"

# Fewer windows in a step, and the gradient is more noise than a processor saves.
LEAST_BATCH = 16
EVALUATIONS = 20
# Of a budget of time, evaluations take at most this share: there are fewer, if need be. One costs
# what a forward pass does, a third of training.
EVALUATING, FORWARD = 0.1, 1 / 3
# Measuring: steps that are not counted, then at least so many, and until so much time is over.
WARM_UP, STEPS, ENOUGH = 2, 3, 5.0


@dataclass(frozen=True)
class Budget:
    """What a training may take. amount: in `unit`, "sub-words" or "seconds". text: as it was given."""

    amount: float
    unit: str
    text: str


def budget(text: str) -> Budget:
    """What `100M` or `30min` says; InputError for anything else."""
    matched = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([A-Za-z]*)", text.strip())
    number, unit = matched.groups() if matched else ("0", "")
    for name, units in (("sub-words", SUB_WORDS), ("seconds", SECONDS)):
        if unit in units and float(number) > 0:
            return Budget(float(number) * units[unit], name, text.strip())
    raise InputError(f"--scale {excerpt(text)}", expected=EXPECTED)


def phases(config: PretrainConfig) -> tuple[PhaseConfig, ...]:
    """All phases of a configuration, the first one too."""
    return (config.phase, *config.then)


def total(config: PretrainConfig) -> int:
    """Sub-words that all phases see."""
    return sum(map(tokens, phases(config)))


def shrunk(
    config: PretrainConfig, wanted: float, *, evaluations: int = EVALUATIONS
) -> PretrainConfig:
    """The settings for `wanted` sub-words in all; as they are, where these are no fewer than theirs.

    Each phase keeps its share of the sub-words and its share of warm-up; the schedule ends with the
    last step. A step's windows shrink with the square root of the budget's ratio: the batch beyond
    which more windows stop paying grows as the loss falls (McCandlish et al., 2018), and a short run
    ends at a higher loss, so that it gains more by more steps; the root shares the cut between the
    two. The learning rate shrinks with the square root of the windows' ratio, by which Adam's steps
    carry the same noise (Malladi et al., 2022) and which LAMB's authors follow (You et al., 2020),
    as do ALBETO's own settings from 2,048 windows to 128.

    Raises InputError for a budget with less than a step for every phase.
    """
    whole = total(config)
    ratio = wanted / whole if whole else 1.0
    if ratio >= 1:
        return config
    made = tuple(_shrunk(phase, ratio) for phase in phases(config))
    if any(phase.steps < 1 for phase in made):
        raise InputError(
            f"a budget of {wanted:,.0f} sub-words", expected="at least one step of every phase"
        )
    steps = sum(phase.steps for phase in made)
    return _with(config, made, max(1, math.ceil(steps / evaluations)))


def _shrunk(phase: PhaseConfig, ratio: float) -> PhaseConfig:
    least = min(LEAST_BATCH, phase.batch_size)
    batch = max(least, round(phase.batch_size * math.sqrt(ratio)))
    return dataclasses.replace(
        phase,
        batch_size=batch,
        steps=round(tokens(phase) * ratio / (batch * phase.length)),
        learning_rate=phase.learning_rate * math.sqrt(batch / phase.batch_size),
    )


def _with(config: PretrainConfig, made: Sequence[PhaseConfig], every: int) -> PretrainConfig:
    first, *rest = made
    return dataclasses.replace(config, phase=first, then=tuple(rest), evaluate_steps=every)


def affordable(
    config: PretrainConfig, speeds: Sequence[float], seconds: float
) -> tuple[float, int]:
    """Sub-words that can be trained in `seconds`, and evaluations on the way.

    speeds: sub-words a second, of each phase. Checkpoints are not counted, nor is compiling.
    """
    each = phases(config)
    shares = [tokens(phase) / total(config) for phase in each]
    one = sum(
        share * FORWARD * config.evaluate_windows * phase.length / speed
        for share, phase, speed in zip(shares, each, speeds, strict=True)
    )
    count = max(1, min(EVALUATIONS, int(EVALUATING * seconds / one)))
    # A phase that ends is evaluated too.
    left = max(0.0, seconds - (count + len(each) - 1) * one)
    slowness = sum(share / speed for share, speed in zip(shares, speeds, strict=True))
    return left / slowness, count


def fitted(config: PretrainConfig, wanted: Budget) -> tuple[PretrainConfig, dict[str, Any]]:
    """The settings for a budget, and how they were chosen, as JSON, for the run's `scale.json`.

    A run that began has its plan there, which is taken as it stands: nothing is measured again.
    Raises InputError for a run that began with another budget or recipe, and for time under
    torchrun, whose processes would each measure another speed.
    """
    from ligero.pretrain import stage

    asked = {"budget": wanted.text, "recipe": identity(config)}
    file = stage.place(config) / SCALE
    if file.is_file():
        plan = read_json(file)
        if _same(asked, plan):
            return planned(config, plan), plan
        raise InputError(
            f"a run scaled to {plan.get('budget')}", file=file.parent,
            expected="the same budget and settings, or another --out",
        )  # fmt: skip
    speeds = None
    if wanted.unit == "sub-words":
        made = shrunk(config, wanted.amount)
    else:
        if int(os.environ.get("WORLD_SIZE", "1")) > 1:
            raise InputError(f"--scale {wanted.text} under torchrun", expected="sub-words")
        made, speeds = _timed(config, wanted.amount)
    plan = {
        **asked,
        "sub_words": total(made),
        "speeds": speeds,
        "phases": [dataclasses.asdict(phase) for phase in phases(made)],
        "evaluate_steps": made.evaluate_steps,
        "whole": total(config),
    }
    return made, plan


def planned(config: PretrainConfig, plan: Mapping[str, Any]) -> PretrainConfig:
    """The settings with the phases of a plan."""
    return _with(config, [PhaseConfig(**p) for p in plan["phases"]], plan["evaluate_steps"])


def line(plan: Mapping[str, Any]) -> str:
    """What was chosen, in one line."""
    share = plan["sub_words"] / max(1, plan["whole"])
    if share >= 1:
        return f"{plan['budget']}: no less than the settings take; they stay as they are"
    steps = ", then ".join(
        f"{p['steps']:,} steps of {p['batch_size']:,} x {p['length']}, peak {p['learning_rate']:.2e}"
        for p in plan["phases"]
    )
    speed = ", ".join(f"{speed:,.0f}" for speed in plan["speeds"] or ())
    measured = f", at {speed} a second" if speed else ""
    return (
        f"scaled to {plan['budget']}: {amount(plan['sub_words'])} of {amount(plan['whole'])} "
        f"sub-words{measured}; {steps}; evaluated every {plan['evaluate_steps']:,}"
    )


def _timed(config: PretrainConfig, seconds: float) -> tuple[PretrainConfig, list[float]]:
    """The settings for so much time. Speed depends on a step's windows, so it is measured twice."""
    from ligero.pretrain import stage

    text = stage.open_text(config)
    made, speeds = config, [1.0]
    for _ in range(2):
        before = [phase.batch_size for phase in phases(made)]
        speeds = measured_speed(made, text)
        wanted, evaluations = affordable(config, speeds, seconds)
        made = shrunk(config, wanted, evaluations=evaluations)
        if before == [phase.batch_size for phase in phases(made)]:
            break
    return made, [round(speed, 1) for speed in speeds]


def measured_speed(config: PretrainConfig, text: "Text") -> list[float]:
    """Sub-words a second that each phase trains: some steps on weights that are then thrown away."""
    import numpy as np

    from ligero.models import shape
    from ligero.models.reference import resolve
    from ligero.pretrain import stage
    from ligero.train import loop, optim

    loop.prepare(config.place.threads)
    model, wanted = stage.ready(config, resolve(config.model), text)
    speeds = []
    for phase in phases(config):
        objective = stage.objective_of(config, phase, text, shape.step(wanted.config))
        fit = stage.fit_config(config, phase)
        optimizer = optim.create(model, fit)
        # Two pieces of a large step tell as much as all of them.
        size = min(phase.batch_size, 2 * max(1, config.batch_tokens // phase.length))
        seen, began = 0, time.monotonic()
        for number in range(WARM_UP + 1000):
            if number == WARM_UP:
                seen, began = 0, time.monotonic()
            ids = np.arange(number * size, (number + 1) * size) % objective.size
            seen += loop.step(model, objective, optimizer, ids, fit, epoch=0, number=number)[2]
            spent = time.monotonic() - began
            if number >= WARM_UP + STEPS - 1 and spent >= ENOUGH:
                break
        speeds.append(seen / spent)
    return speeds


def _same(asked: Mapping[str, Any], plan: Mapping[str, Any]) -> bool:
    return json.loads(json.dumps(asked)) == {name: plan.get(name) for name in asked}

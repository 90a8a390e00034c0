"""A pre-training: what a recipe means, what came of it, its page and its curve."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ligero.machine import facts
from ligero.report import plots
from ligero.report.tables import markdown, millions
from ligero.runs import LOG, write_text

Table = tuple[list[str], list[list[str]]]

OBJECTIVES = {
    "masked": "masked words",
    "masked+order": "masked words and sentence order",
    "replaced": "replaced sub-words",
    "distilbert": "a teacher's distribution, masked words and states (DistilBERT)",
}
# What the training loss adds up, where that is not what the validation loss is.
TRAINED = {
    "masked+order": "training (words and order)",
    "distilbert": "training (all three parts)",
}
# What the figures are taken of.
FIGURES = {
    "masked": "of the hidden sub-words of held-out text",
    "replaced": "of generator and judge, and the judge's F1 of replaced sub-words, on held-out text",
}
CURVE, PAGE = "loss.png", "README.md"
# Shown points of a curve, at most; share of a phase's steps over which its loss is smoothed; share
# of all steps in which the loss falls too far to be drawn with what follows.
POINTS, SMOOTHED, FALL = 1000, 0.01, 0.02
UNITS = ((1e9, "billions"), (1e6, "millions"), (1e3, "thousands"))


def plan(found: Mapping[str, Any]) -> list[Table]:
    """What a recipe means: its phases, its size, the days it takes. found: what `cost.plan` gives."""
    phases = [
        [
            str(number),
            str(p["length"]),
            f"{p['batch_size']:,}",
            f"{p['steps']:,}",
            f"{p['warmup_steps']:,}",
            f"{p['learning_rate']:.3g}",
            amount(p["tokens"]),
            f"{p['flops']:.2e}",
        ]
        for number, p in enumerate(found["phases"], 1)
    ]
    heading = ["phase", "length", "batch", "steps", "warm-up", "peak", "sub-words", "FLOP"]
    frozen = f", and {amount(found['frozen'])} that are not trained" if found["frozen"] else ""
    size = [
        ["learns", OBJECTIVES[found["objective"]]],
        ["encoder", f"{amount(found['parameters'])} parameters, {found['entries']:,} entries"],
        ["trained", f"{amount(found['trained'])} parameters{frozen}"],
        ["memory", f"{found['memory'] / 1e9:.2f} GB: weights, gradients, moments; not activations"],
        ["sub-words", amount(found["tokens"])],
        ["FLOP", f"{found['flops']:.2e}"],
    ]
    times = [[name, m["why"], span(m["days"])] for name, m in found["machines"].items()]
    if found["published"] is not None:
        rate = found["flops"] / found["published"] / 86_400 / 1e12
        times.append(
            [
                "TPU v3-8, as published",
                f"{rate:.0f} TFLOP/s by this count",
                span(found["published"]),
            ]
        )
    return [
        (heading, phases),
        (["model", found["model"]], size),
        (["hardware", "sustained", "takes"], times),
    ]


def phases(results: Mapping[str, Any]) -> Table:
    """Heading and rows: what each phase saw, and what it came to."""
    ordered = any("order_accuracy" in p for p in results["phases"])
    heading = ["phase", "length", "batch", "steps", "sub-words", "hours", "loss", "accuracy"]
    rows = [
        [
            str(number),
            str(p["length"]),
            f"{p['batch_size']:,}",
            f"{p['steps']:,}",
            amount(p["tokens"]),
            f"{p['seconds'] / 3600:.3g}",
            f"{p['loss']:.3f}",
            f"{p['accuracy']:.2f}",
            *([f"{p['order_accuracy']:.2f}"] if ordered else []),
        ]
        for number, p in enumerate(results["phases"], 1)
    ]
    return heading + (["order"] if ordered else []), rows


def line(results: Mapping[str, Any]) -> str:
    """The model in one line."""
    return (
        f"{results['model']}: {millions(results['parameters'])} parameters, "
        f"{results['entries']:,} entries, {amount(results['tokens'])} sub-words seen"
    )


def amount(number: float) -> str:
    """1,234,567 as 1.23M; below a thousand as it is."""
    for least, unit in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k")):
        # What would round up to a thousand of a unit is one of the next.
        if number >= 0.9995 * least:
            value = number / least
            return f"{value:.{2 if value < 10 else 1 if value < 100 else 0}f}{unit}"
    return f"{number:,.0f}"


def span(days: float) -> str:
    """Days as years, days, hours or minutes, whichever reads best."""
    for least, unit in ((1000, 365.25), (1, 1), (1 / 24, 1 / 24)):
        if days >= least:
            name = {365.25: "years", 1: "days", 1 / 24: "hours"}[unit]
            return f"{days / unit:,.{0 if days / unit >= 100 else 1}f} {name}"
    return f"{days * 1440:,.1f} minutes"


def write(
    out: Path, settings: Mapping[str, Any], results: Mapping[str, Any], note: Callable[[str], None]
) -> None:
    """Write a run's page and, where matplotlib is there, its curve.

    settings: those that decide what comes out (`config.identity`). note: is told what was left out.
    """
    drawn = curve(out, results)
    if not drawn:
        note(f"no {CURVE}: it needs matplotlib, {plots.INSTALL}")
    write_text(out / PAGE, page(settings, results, drawn))


def page(settings: Mapping[str, Any], results: Mapping[str, Any], drawn: bool) -> str:
    """README.md of a pre-training's folder: what came out, of what, and what lies where."""
    passes = results["tokens"] / max(1, results["text"])
    machine = ", ".join(f"{name} {value}" for name, value in _machine(results).items())
    rows = [[name, str(value)] for name, value in _flat(settings, results["objective"])]
    peaks = ", ".join(f"{p['learning_rate']:.3g}" for p in results["phases"])
    warmups = ", ".join(f"{round(p['warmup'] * p['steps']):,}" for p in results["phases"])
    shown = f"![Loss and accuracy over sub-words seen]({CURVE})\n\n" if drawn else ""
    curve_line = f"- `{CURVE}`: the curve above.\n" if drawn else ""
    objective, entries = results["objective"], f"{results['entries']:,}"
    return f"""# {results["model"]}, pre-trained: {OBJECTIVES[objective]}

{markdown(*phases(results))}

`loss` and `accuracy` (percent): {FIGURES.get(objective, FIGURES["masked"])}, at each phase's end.

{shown}Model: {results["parameters"]:,} parameters in the encoder, a vocabulary of {entries} entries.
Text: {results["text"]:,} sub-words, read {passes:.2f} times.
Peak learning rate: {peaks}; steps of warm-up: {warmups}.

Machine: {machine}.

## Settings

{markdown(["setting", "value"], rows)}

## What lies here

- `model/`: the encoder, with its vocabulary. It loads in plain transformers.
- `phase-*/metrics.jsonl`: one line for each step, and one for each evaluation.
{curve_line}- `results.json`: all figures. `config.json`: what the run began with, text by its hash.
- `manifest.json`: written last; it holds the SHA-256 of every file.

To go on: `ligero finetune ner-conll2002 --model THIS-FOLDER`.
"""


def curve(out: Path, results: Mapping[str, Any], *, log_x: bool = False) -> bool:
    """Draw a run's losses and accuracy from its logs; whether it could be drawn."""
    logs = [_log(out / f"phase-{n}" / LOG) for n in range(1, len(results["phases"]) + 1)]
    unit, name = next(u for u in UNITS if results["tokens"] >= 2 * u[0] or u is UNITS[-1])
    train: tuple[list[float], list[float]] = ([], [])
    told: dict[str, tuple[list[float], list[float]]] = {"loss": ([], []), "accuracy": ([], [])}
    marks, before = [], 0
    for phase, (steps, evaluations) in zip(results["phases"], logs, strict=True):
        if len(logs) > 1:
            marks.append((before / unit, f"length {phase['length']}"))
        seen = {s["step"]: (before + s["tokens"]) / unit for s in steps}
        losses = smoothed([s["loss"] for s in steps], max(1, round(SMOOTHED * len(steps))))
        for n in _thinned(len(steps)):
            train[0].append(seen[steps[n]["step"]])
            train[1].append(losses[n])
        for e in evaluations:
            for figure, (x, y) in told.items():
                x.append(seen.get(e["step"], before / unit))
                y.append(e["evaluation"][figure])
        # Another length is another task: nothing leads from one phase's curve to the next.
        for x, y in (train, *told.values()):
            x.append(float("nan"))
            y.append(float("nan"))
        before += phase["tokens"]
    late = [y for x, y in zip(*train, strict=True) if x >= FALL * before / unit]
    tops = [y for y in (*late, *told["loss"][1]) if y == y]
    objective = results["objective"]
    told_name = "validation (words alone)" if objective in TRAINED else "validation"
    losses_panel = plots.Panel(
        "loss (nats)",
        [
            plots.Line(TRAINED.get(objective, "training"), *train, shade=1),
            plots.Line(told_name, *told["loss"], points=True, shade=0),
        ],
        height=2.2,
        top=None if log_x or not tops else 1.02 * max(tops),
    )
    accuracy = plots.Line("validation", *told["accuracy"], points=True)
    return plots.curves(
        [
            losses_panel,
            plots.Panel("F1 (%)" if objective == "replaced" else "accuracy (%)", [accuracy]),
        ],
        out / CURVE,
        x_label=f"sub-words seen ({name})",
        title=f"{results['model']}: {OBJECTIVES[results['objective']]}",
        marks=marks,
        log_x=log_x,
    )


def smoothed(values: Sequence[float], width: float) -> list[float]:
    """Running means with weights that fade over about `width` values; the first ones are not biased."""
    keep = 1 - 1 / max(1.0, width)
    total = weight = 0.0
    means = []
    for value in values:
        total, weight = keep * total + value, keep * weight + 1
        means.append(total / weight)
    return means


def _thinned(count: int) -> list[int]:
    """At most about POINTS of `count` places, the last one among them."""
    step = max(1, -(-count // POINTS))
    return sorted({*range(0, count, step), count - 1} if count else [])


def _log(path: Path) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The lines of a phase's steps, and those of its evaluations."""
    entries = [json.loads(text) for text in path.read_text(encoding="utf-8").splitlines()]
    return [e for e in entries if "loss" in e], [e for e in entries if "evaluation" in e]


def _flat(settings: Mapping[str, Any], objective: str) -> list[tuple[str, Any]]:
    """Name and value of the settings that counted, phases left out: the table above has them."""
    found: list[tuple[str, Any]] = []
    for name, value in settings.items():
        if name in ("phase", "then") or (name in ("replaced", "distilbert") and name != objective):
            continue
        if isinstance(value, Mapping):
            found += [(f"{name}.{inner}", v) for inner, v in value.items()]
        elif value is not None:
            found.append((name, value))
    return found


def _machine(results: Mapping[str, Any]) -> dict[str, Any]:
    told = {name: results[name] for name in ("device", "processes", "threads")}
    return told | facts(("ligero", "torch", "transformers"))

"""What models cost and how long they take: tables on a terminal, and the terms in words."""

from collections.abc import Iterator, Mapping
from typing import Any

from ligero.report.pretrain import Table, amount

COSTS = """\
parameters: of the encoder, as stored; effective: those of tied layers as often as they are applied.
MACs: of one text; all products of matrices, and as the papers count them (without attention's own
products, with a classifier and normalisations)."""

TIMES = """\
One call after another, all models in turn, each call's second run timed; x BETO by medians, with a 95%
interval; papers': one model after another, their filter of outliers."""

MEMORY = "Memory of a fresh process, beyond ligero's own: see above for what was loaded and run."


def shown(found: Mapping[str, Any]) -> Iterator[tuple[str, Table]]:
    """Title and table of everything in what `measure.bench` gives."""
    yield f"cost, at {found['length']} sub-words", costs(found)
    for length in found.get("latency", ()):
        batch = found["settings"]["batch"]
        texts = "one text" if batch == 1 else f"{batch} texts"
        yield f"{texts} of {length} sub-words", latency(found, length)
    if found.get("memory"):
        yield f"memory, at {found['length']} sub-words", memory(found)


def costs(found: Mapping[str, Any]) -> Table:
    """Heading and rows: what each model costs, MACs beside those of the first."""
    first = found["models"][0]
    rows = [
        [
            m["name"],
            m["how"],
            amount(m["parameters"]),
            amount(m["effective"]),
            f"{m['bytes'] / 1e6:.1f}",
            amount(m["macs"]),
            times(first["macs"] / m["macs"]),
            amount(m["papers_macs"]),
            times(first["papers_macs"] / m["papers_macs"]),
        ]
        for m in found["models"]
    ]
    heading = ["model", "runs as", "parameters", "effective", "MB", "MACs", "x fewer"]
    return [*heading, "MACs, papers'", "x fewer, papers'"], rows


def latency(found: Mapping[str, Any], length: str) -> Table:
    """Heading and rows: how long each model takes at a length."""
    rows = []
    for m in found["models"]:
        took = found["latency"][length][m["label"]]
        speed = took["speedup"]
        rows.append(
            [
                m["name"],
                m["how"],
                *(milliseconds(took[p]) for p in ("p50_ms", "p95_ms", "p99_ms")),
                f"{took['texts_per_second']:,.1f}",
                times(speed["value"]),
                f"{times(speed['low'])} to {times(speed['high'])}",
                milliseconds(took["papers"]["mean_ms"]),
                f"{took['papers']['inferences_per_second']:,.1f}",
            ]
        )
    heading = ["model", "runs as", "p50 ms", "p95 ms", "p99 ms", "texts/s", "x BETO", "95%"]
    return [*heading, "papers' ms", "papers' calls/s"], rows


def memory(found: Mapping[str, Any]) -> Table:
    """Heading and rows: resident bytes that each model adds to a process."""
    rows = [
        [
            m["name"],
            m["how"],
            f"{found['memory'][m['label']]['model'] / 1e6:.0f}",
            f"{found['memory'][m['label']]['libraries'] / 1e6:.0f}",
        ]
        for m in found["models"]
    ]
    return ["model", "runs as", "MB, loaded and run", "MB, libraries"], rows


def footer(found: Mapping[str, Any]) -> str:
    """What the figures mean, and what they were measured on."""
    if "latency" not in found:
        return COSTS
    facts = dict(found["machine"])
    load = " before and ".join(str(one) for one in facts.pop("load"))
    machine = ", ".join(f"{name} {value}" for name, value in facts.items())
    settings = found["settings"]
    parts = [
        COSTS,
        TIMES,
        *([MEMORY] if found["memory"] else []),
        f"{settings['rounds']} rounds. Load: {load} after. Date: {found['date']}. Machine: {machine}.",
    ]
    return "\n".join(parts)


def milliseconds(value: float) -> str:
    """Three digits that count, at least."""
    return f"{value:,.{0 if value >= 1000 else 1 if value >= 100 else 2 if value >= 1 else 3}f}"


def times(ratio: float) -> str:
    """A ratio with three digits that count."""
    return f"{ratio:.{1 if ratio >= 10 else 2 if ratio >= 0.1 else 3}f}"

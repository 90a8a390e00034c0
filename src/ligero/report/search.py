"""What a search has come to, for a person: tables and the page of its folder."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np

from ligero.report import tables
from ligero.tasks.metrics.resample import bootstrap

Table = tuple[list[str], list[list[str]]]


def said(values: Mapping[str, Any]) -> str:
    """A trial's values in words: "learning_rate 0.0001, batch_size 16"."""
    return ", ".join(f"{path.split('.')[-1]} {_value(value)}" for path, value in values.items())


def _value(value: object) -> str:
    """A value in words. Of a folder its name."""
    return Path(value).name if isinstance(value, str) and Path(value).is_absolute() else str(value)


def minutes(seconds: float) -> str:
    """A time in the unit that suits it."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def rounds(found: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The rounds of a search, by what their models are called; of a single one it has no name."""
    return dict(found.get("rounds", {"": found}))


def chosen(found: Mapping[str, Any]) -> Table:
    """As `best`, of all rounds."""
    told = [best(one) for one in rounds(found).values()]
    return told[0][0], [row for _, rows in told for row in rows]


def best(found: Mapping[str, Any]) -> Table:
    """Heading and rows: what either rule chooses in each group, and what choosing by loss costs."""
    outcomes = {o["name"]: o for o in found["outcomes"]}
    rows = []
    for group in found["groups"]:
        picks = {select: outcomes.get(name) for select, name in group["best"].items()}
        cells = [said(group["group"]) or "all"]
        for pick in picks.values():
            cells += _picked(pick, found["by"])
        cells += [_difference(picks, "dev"), _difference(picks, "test"), minutes(group["seconds"])]
        rows.append(cells)
    heading = [
        "", "by metric", "dev", "test", "by loss", "dev", "test", "cost of loss, dev", "test", "time",
    ]  # fmt: skip
    return heading, rows


def _picked(pick: Mapping[str, Any] | None, by: Sequence[str]) -> list[str]:
    if pick is None:
        return ["–", "", ""]
    free = {path: value for path, value in pick["values"].items() if path not in by}
    low, high = pick["interval"] or (float("nan"), float("nan"))
    test = pick["test"][pick["metric"]]
    return [
        said(free) or "–",
        f"{pick['dev'][pick['metric']]:.2f}",
        f"{test:.2f} ±{(high - low) / 2:.2f}",
    ]


def _difference(picks: Mapping[str, Mapping[str, Any] | None], split: str) -> str:
    """The metric of what the metric chose, less that of what the loss chose."""
    first, second = picks["metric"], picks["loss"]
    if first is None or second is None:
        return ""
    return f"{first[split][first['metric']] - second[split][second['metric']]:+.2f}"


def trials(found: Mapping[str, Any]) -> Table:
    """Heading and rows: every trial, the best first."""
    paths = list(found["over"])
    rows = []
    for o in sorted(found["outcomes"], key=_rank):
        done = o["state"] == "done"
        rows.append(
            [
                *(_value(o["values"][path]) for path in paths), o["state"],
                f"{o['dev'][o['metric']]:.2f}" if done else "",
                f"{o['dev']['loss']:.4f}" if done else "",
                f"{o['test'][o['metric']]:.2f}" if done else "",
                f"{o['seconds']:,.0f}", "; ".join(o["notes"]),
            ]
        )  # fmt: skip
    heading = [
        *(path.split(".")[-1] for path in paths), "", "dev", "dev loss", "test", "s", "notes",
    ]  # fmt: skip
    return heading, rows


def _rank(o: Mapping[str, Any]) -> tuple[int, float]:
    return (0, -o["dev"][o["metric"]]) if o["state"] == "done" else (1, 0.0)


def worth(found: Mapping[str, Any]) -> Table:
    """Heading and rows: what each value of a setting is worth beside the first one of its list.

    The mean difference on test over all pairs of finished trials that are alike in everything else,
    and its 95% interval by a bootstrap over those pairs, where there are at least `PAIRS`.
    """
    done = [o for o in found["outcomes"] if o["state"] == "done"]
    rows = []
    for path, values in found["over"].items():
        if path in found["by"] or not isinstance(values, list):
            continue
        for value in values[1:]:
            gains = _gains(done, path, values[0], value)
            if gains:
                rows.append([f"{path} {value} rather than {values[0]}", *_summary(gains)])
    return ["", "gain on test", "95%", "better in", "pairs"], rows


# Fewer say too little for an interval.
PAIRS = 5


def _gains(
    done: Sequence[Mapping[str, Any]], path: str, before: object, after: object
) -> list[float]:
    """What trials with one value gain over those with another that are alike in everything else."""

    def rest(o: Mapping[str, Any]) -> str:
        return json.dumps({k: v for k, v in o["values"].items() if k != path}, sort_keys=True)

    base = {rest(o): o for o in done if o["values"][path] == before}
    others = [o for o in done if o["values"][path] == after and rest(o) in base]
    return [o["test"][o["metric"]] - base[rest(o)]["test"][o["metric"]] for o in others]


def _summary(gains: list[float]) -> list[str]:
    """Mean, interval, how many are above nothing, and how many there are."""
    interval = ""
    if len(gains) >= PAIRS:
        low, high = mean_interval(gains)
        interval = f"{low:+.2f} to {high:+.2f}"
    above = sum(gain > 0 for gain in gains)
    return [f"{fmean(gains):+.2f}", interval, str(above), str(len(gains))]


def mean_interval(gains: Sequence[float]) -> tuple[float, float]:
    """The 95% interval of a mean, by drawing what it is of again."""
    tallies = {"gain": np.array(gains)}
    made = bootstrap(tallies, lambda sums: {"mean": sums["gain"] / len(gains)}, resamples=10_000)
    return made["mean"]


def page(found: Mapping[str, Any]) -> str:
    """The README.md of a search's folder."""
    parts = rounds(found)
    taught = _taught(found)
    first = next(iter(parts.values()))
    outcomes = [o for one in parts.values() for o in one["outcomes"]]
    states = {s: sum(o["state"] == s for o in outcomes) for s in ("done", "pruned", "failed")}
    counts = ", ".join(f"{count} {state}" for state, count in states.items() if count)
    rule = "the best score" if first["select"] == "metric" else "the lowest loss"
    trained = minutes(sum(o["seconds"] for o in outcomes))
    return f"""# {first["where"]}: a search

`ligero {found["verb"]}`, {sum(one["trials"] for one in parts.values())} trials ({counts}), \
{first["way"]}; chosen by {rule} on dev; {trained} of training.

{taught}{"".join(_round(name, one) for name, one in parts.items())}\
±: half of the 95% interval of the test score (bootstrap). The cost of choosing by the validation loss,
as the papers do, is the score of what the metric chooses less that of what the loss chooses.

Each trial is an ordinary run in `trials/`. {first["date"]}, {first["machine"]["cores"]} cores.
"""


def _taught(found: Mapping[str, Any]) -> str:
    """Who teaches, where there are rounds."""
    if "taught_by" not in found:
        return ""
    outcomes = {o["name"]: o for o in rounds(found)["teachers"]["outcomes"]}
    rows = []
    for one in found["taught_by"]:
        o = outcomes.get(one["teacher"])
        free = {k: v for k, v in o["values"].items() if k not in one["group"]} if o else {}
        score = tables.score(o["test"][o["metric"]], o["interval"]) if o else "–"
        rows.append([said(one["group"]) or "all", said(free) or "none: all failed", score])
    heading = ["", "its teacher", "test"]
    return f"## Who teaches\n\n{tables.markdown(heading, rows)}\n\n"


def _round(name: str, found: Mapping[str, Any]) -> str:
    """A round's part of the page."""
    of = f" {name}" if name else ""
    pairs = worth(found)
    told = f"""### What settings are worth

Trials are compared that are alike in everything else.

{tables.markdown(*pairs)}

""" if pairs[1] else ""  # fmt: skip
    return f"""## The best{of}

{tables.markdown(*best(found))}

{told}### All trials

{tables.markdown(*trials(found))}

"""


RULES = {"loss": "lowest loss (the papers)", "metric": "best score", "trial": "best pupil"}


def teachers(found: Mapping[str, Any]) -> Table:
    """Heading and rows: every candidate, what a student made of it, and which rules choose it."""
    rows = []
    for row in found["candidates"]:
        teacher, student = row["teacher"], row["student"]
        rules = [RULES[rule] for rule, name in found["chosen"].items() if name == row["candidate"]]
        rows.append(
            [
                row["candidate"], *_figures(teacher), *_figures(student)[1:],
                minutes(row["seconds"] + (student["seconds"] if student else 0)), ", ".join(rules),
            ]
        )  # fmt: skip
    heading = [
        "candidate", "dev loss", "dev", "test", "its pupil, dev", "test", "time", "chosen by",
    ]  # fmt: skip
    return heading, rows


def _figures(o: Mapping[str, Any] | None) -> list[str]:
    """Loss and score on dev, and score on test."""
    if o is None or o["state"] != "done":
        return ["–", "failed" if o and o["state"] == "failed" else "–", "–"]
    metric = o["metric"]
    return [f"{o['dev']['loss']:.4f}", f"{o['dev'][metric]:.2f}", f"{o['test'][metric]:.2f}"]


def teachers_page(found: Mapping[str, Any]) -> str:
    """The README.md of a choice of teacher."""
    told = "\n".join(
        f"- by {RULES[rule]}: {name or 'none'}" for rule, name in found["chosen"].items()
    )
    return f"""# {found["where"]}: the choice of a teacher

Every candidate was fine-tuned, and `{found["student"]}` tried the best of each for a short time.

{tables.markdown(*teachers(found))}

{told}

Runs and outcomes: `teachers/` and `students/`. {found["date"]}.
"""

"""`ligero compress` on a real task over several seeds: teacher, plain student, distilled student.

    python benchmarks/compress.py benchmarks/compress-ner-conll2002.toml

Each seed is an ordinary run under `--runs`, so the benchmark continues where it was stopped. It
writes `benchmarks/results/compress-TASK.json` and `.md`.
"""

import argparse
import datetime
import json
import statistics
from pathlib import Path
from typing import Any

from ligero import compress, config
from ligero.report import tables
from ligero.runs import write_json, write_text

RESULTS = Path(__file__).parent / "results"


def main() -> None:
    """Run all seeds, then write the summary."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", help="settings of `ligero compress` as TOML")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--runs", type=Path, default=Path("runs/benchmarks"))
    parser.add_argument("--machine", default="", help="the machine in words")
    chosen = parser.parse_args()
    results = []
    for seed in chosen.seeds:
        table = config.read_toml(chosen.config)
        name = f"{Path(chosen.config).stem}-{seed}"
        # A cache of its own: the time that the teacher's outputs take belongs to the run.
        cache = {"cache": str(chosen.runs / f"{name}-cache")}
        place = {"place": {"out": str(chosen.runs / name)}}
        settings = config.build(
            config.CompressConfig, config.nest({("seed",): seed}, {**table, **cache, **place})
        )
        results.append(compress.compress(settings))
    summary = summarise(results, chosen.seeds, chosen.machine, config.read_toml(chosen.config))
    RESULTS.mkdir(exist_ok=True)
    target = RESULTS / f"compress-{summary['task']}"
    write_json(target.with_suffix(".json"), summary)
    write_text(target.with_suffix(".md"), page(summary))
    print(page(summary))


def summarise(
    results: list[dict[str, Any]], seeds: list[int], machine: str, settings: dict[str, Any]
) -> dict[str, Any]:
    """Mean and standard deviation over seeds, and the student's gain seed by seed."""
    first = results[0]
    metric, scored = first["metric"], first["scored"]
    models = {}
    for name in first["models"]:
        runs = [r["models"][name] for r in results]
        models[name] = {
            "model": runs[0]["model"],
            "parameters": runs[0]["parameters"],
            "dev": spread([r["dev"][metric] for r in runs]),
            scored: spread([r[scored][metric] for r in runs]),
            "seconds_per_1000": spread([r["seconds_per_1000"] for r in runs]),
            "training_seconds": spread([r.get("seconds", 0.0) for r in runs]),
        }
    gains = [
        b - a
        for a, b in zip(
            models["student-alone"][scored]["values"],
            models["student"][scored]["values"],
            strict=True,
        )
    ]
    return {
        "task": first["task"],
        "title": first["title"],
        "licence": first["licence"],
        "examples": first["examples"],
        "metric": metric,
        "scored": scored,
        "seeds": seeds,
        "models": models,
        "gain_of_distillation": spread(gains),
        "settings": settings,
        "date": datetime.date.today().isoformat(),
        "machine": {"in words": machine, **first["machine"]},
    }


def spread(values: list[float]) -> dict[str, Any]:
    """Mean, standard deviation (of the sample) and the values themselves."""
    deviation = statistics.stdev(values) if len(values) > 1 else 0.0
    return {"mean": statistics.mean(values), "sd": deviation, "values": values}


def rows(summary: dict[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Heading and rows of the summary."""
    metric, scored = summary["metric"], summary["scored"]

    def shown(value: dict[str, Any], digits: int = 2) -> str:
        return f"{value['mean']:.{digits}f} ± {value['sd']:.{digits}f}"

    heading = [
        "",
        "model",
        f"{metric} (dev)",
        f"{metric} ({scored})",
        "parameters",
        "s / 1,000",
        "trained, s",
    ]
    return heading, [
        [
            tables.TITLES[name],
            m["model"],
            shown(m["dev"]),
            shown(m[scored]),
            tables.millions(m["parameters"]),
            shown(m["seconds_per_1000"]),
            f"{m['training_seconds']['mean']:.0f}",
        ]
        for name, m in summary["models"].items()
    ]


def page(summary: dict[str, Any]) -> str:
    """The summary in Markdown."""
    gain = summary["gain_of_distillation"]
    each = ", ".join(f"{value:+.2f}" for value in gain["values"])
    counts = ", ".join(f"{count:,} {name}" for name, count in summary["examples"].items())
    facts = dict(summary["machine"])
    machine = facts.pop("in words") + "; " + ", ".join(f"{k} {v}" for k, v in facts.items())
    return f"""# {summary["title"]}: teacher, plain student, distilled student

{tables.markdown(*rows(summary))}

Mean ± standard deviation over seeds {", ".join(map(str, summary["seeds"]))}. Distilled minus plain
student on {summary["scored"]}, seed by seed: {each} (mean {gain["mean"]:+.2f}).

All models start at random, over a vocabulary of the training texts: nothing is pre-trained here.
Data: {counts}. Licence of the data: {summary["licence"]}. Date: {summary["date"]}. Machine: {machine}.

Settings:

```json
{json.dumps(summary["settings"], indent=2, ensure_ascii=False)}
```
"""


if __name__ == "__main__":
    main()

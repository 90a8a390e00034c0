"""A trained run -> an exported folder: graph, tokenizer, card, and the report of its gate."""

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from safetensors.numpy import save_file

from ligero.config import ExportConfig
from ligero.errors import InputError, LigeroError
from ligero.export import heads, quantise
from ligero.export.gate import Gate, Verdict
from ligero.machine import processor
from ligero.measure import latency
from ligero.models import crf
from ligero.report.export import page
from ligero.runs import MANIFEST, publish, read_json, write_json, write_text
from ligero.runtime.card import CARD, HEAD, PRECISIONS, TOKENIZER, Card, is_exported
from ligero.runtime.predictor import Predictor
from ligero.tasks import catalog, source
from ligero.tasks.chains import Chain
from ligero.tasks.example import Example
from ligero.tasks.source import Task
from ligero.tasks.words import pad
from ligero.train import loop
from ligero.train.progress import Progress
from ligero.train.trained import Trained, load, takes_segments
from ligero.vocab import special_ids

# Lengths in sub-words that inputs are padded to, each at most half as long again as the one before.
BUCKETS = (16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512)
# Rounds in which candidates take turns when the fastest is looked for.
ROUNDS = 60
GATE = "gate.json"
GRAPHS = {"openvino": "model.xml", "onnx": "model.onnx"}


def export(run: str, config: ExportConfig) -> dict[str, Any]:
    """Make a folder of a trained model that runs without torch, if it computes what the model does.

    run: a finished run, a compression (its student), a model's folder or a hub id. `config.data`
    says what the gate scores it on: the task or files that it was trained on.

    Returns what `gate.json` holds, with the folder. InputError where no validation data are at hand, or
    the folder holds something else; LigeroError where not even fp32 passes.
    """
    loop.prepare(config.place.threads)
    progress = Progress("export")
    out = Path(config.place.out) if config.place.out else _place(run)
    if out.exists() and not is_exported(out) and not (out.is_dir() and not any(out.iterdir())):
        raise InputError(
            "something else", file=out, expected="a new folder or an earlier export (--out)"
        )
    trained = load(run, decoding=config.decoding)
    task = _task(run, config, trained)
    buckets = lengths(trained.window)
    progress.note(f"{run}: {trained.kind.name}, checked on {len(task.dev.examples):,} texts")
    gate = Gate(trained, task.dev.examples, buckets, config.seed)
    texts = sample(task.train.examples, config.calibration, config.seed)
    facts = {
        "name": Path(run).name, "buckets": buckets, "licence": task.licence,
        "task": {
            "name": task.name, "metric": gate.metric, "split": "dev", "file": Path(task.dev.file).name,
            "lengths": {f"p{q}": int(np.percentile(gate.lengths, q)) for q in (50, 95)},
        },
    }  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="ligero-") as name:
        made: dict[str, Path] = {}
        sizes: dict[str, int] = {}
        verdicts: list[Verdict] = []
        order = wanted(config)
        for precision, safer in zip(order, [*order[1:], None], strict=True):
            place = Path(name) / precision
            assemble(place, trained, config.runtime, precision, texts, facts)
            sizes[precision] = _size(place)
            verdict = gate(Predictor(place, threads=config.place.threads))
            verdicts.append(verdict)
            progress.note(_said(verdict, gate, safer))
            if not verdict.failed:
                made[precision] = place
                if config.precision != "auto":
                    break
        if not made:
            raise LigeroError(f"{run}: no precision passed the gate; {_said(verdicts[-1], gate)}")
        speeds = timed(made, gate, config.place.threads)
        chosen = min(made, key=lambda precision: speeds[precision])
        report = {
            "chosen": chosen, "asked": config.precision, "runtime": config.runtime,
            "original": {gate.metric: gate.score, "interval": gate.interval},
            "milliseconds": speeds, "bytes": sizes, "verdicts": [v.as_dict() for v in verdicts],
            "task": facts["task"], "buckets": list(buckets), "machine": processor(),
        }  # fmt: skip
        passed = next(v.score for v in verdicts if v.precision == chosen)
        score = {
            "original": gate.score, "exported": passed[gate.metric], "interval": passed["interval"],
        }  # fmt: skip
        with publish(out) as place:
            shutil.copytree(made[chosen], place, dirs_exist_ok=True)
            (place / MANIFEST).unlink()
            write_json(place / GATE, report)
            card = replace(Card.read(made[chosen]), score=score)
            write_text(place / "README.md", page(card, report))
            replace(card, bytes=_size(place)).write(place)
    return {**report, "folder": str(out)}


def assemble(
    folder: Path,
    trained: Trained,
    runtime: str,
    precision: str,
    texts: Sequence[Example],
    facts: dict[str, Any],
) -> None:
    """Publish a folder of one precision that no gate has seen yet.

    texts: what int8 is calibrated on. facts: name, task and buckets for the card.
    """
    if runtime == "onnx" and precision == "bf16":
        raise InputError("bf16 with onnxruntime", expected="fp32 or int8; or --runtime openvino")
    model, segments = trained.model, takes_segments(trained.model)
    weights = {name: value.float().numpy() for name, value in model.state_dict().items()}
    graph = heads.build(
        trained.kind.name, model.config, weights, model.base_model_prefix, segments=segments
    )
    inputs = tuple(value.name for value in graph.graph.input)
    with publish(folder) as place:
        _write(place, graph, runtime, precision, lambda: calibration(trained, texts, inputs))
        trained.tokenizer.save(str(place / TOKENIZER))
        outside = {
            n.removeprefix("parser."): w
            for n, w in weights.items()
            if n.startswith("parser.") and "project" not in n
        }
        if chain := crf.of(model):
            outside |= _transitions(chain.chain())
        if outside:
            save_file(outside, place / HEAD)
        Card(
            kind=trained.kind.name, labels=tuple(trained.labels), window=trained.window,
            pad_id=special_ids(trained.tokenizer)["pad_id"],
            entries=trained.tokenizer.get_vocab_size(), inputs=inputs,
            format=runtime, precision=precision, graph=GRAPHS[runtime],
            model={
                "family": model.config.model_type, "config": model.config.to_diff_dict(),
                "parameters": trained.parameters,
            },
            score=None, decoding=trained.decoding, **facts,
        ).write(place)  # fmt: skip


def _transitions(chain: Chain) -> dict[str, np.ndarray]:
    """What a CRF has learned, by the names of `Chain`."""
    found = {"start": chain.start, "moves": chain.moves, "end": chain.end}
    return {name: np.ascontiguousarray(scores) for name, scores in found.items()}


def _write(place: Path, graph: onnx.ModelProto, runtime: str, precision: str, texts: Any) -> None:
    target = place / GRAPHS[runtime]
    if runtime == "onnx":
        plain = place / ("plain.onnx" if precision == "int8" else target.name)
        onnx.save(graph, plain)
        if precision == "int8":
            quantise.onnx(plain, target)
            plain.unlink()
        return
    import openvino as ov

    model = ov.Core().read_model(graph.SerializeToString())
    if precision == "int8":
        model = quantise.openvino(model, texts())
    ov.save_model(model, target, compress_to_fp16=precision != "fp32")


def calibration(
    trained: Trained, texts: Sequence[Example], inputs: Sequence[str]
) -> list[dict[str, np.ndarray]]:
    """Texts as a graph takes them, one window each, padded to their buckets."""
    features = trained.features(())
    buckets = lengths(trained.window)
    found = []
    for encoded in trained.encoder()(texts):
        width = buckets[int(np.searchsorted(buckets, encoded.width))]
        rows = pad([encoded], pad_id=features.pad, width=width, segments=features.segments)
        found.append({name: rows.inputs[name][:1] for name in inputs})
    return found


def lengths(window: int) -> tuple[int, ...]:
    """The buckets of a model that sees so many sub-words at once."""
    return (*(b for b in BUCKETS if b < window), window)


def sample(examples: Sequence[Example], count: int, seed: int) -> list[Example]:
    """Some examples, which ones following from the seed."""
    chosen = np.random.default_rng(seed).permutation(len(examples))[:count]
    return [examples[i] for i in chosen]


def wanted(config: ExportConfig) -> list[str]:
    """The precisions to try, in order."""
    possible = [p for p in reversed(PRECISIONS) if (config.runtime, p) != ("onnx", "bf16")]
    if config.precision == "auto":
        return possible
    if config.precision not in possible:
        raise InputError("bf16 with onnxruntime", expected="fp32 or int8; or --runtime openvino")
    return possible[possible.index(config.precision) :]


def timed(made: dict[str, Path], gate: Gate, threads: int | None) -> dict[str, float]:
    """Median milliseconds for one text of the usual length, all in turn: each precision's, and
    those of the "original" in torch."""
    usual = int(np.percentile(gate.lengths, 50))
    bucket = min(b for b in gate.inputs if b >= usual)
    some = gate.inputs[bucket][0]
    calls: dict[str, latency.Call] = {"original": partial(gate.original, some)}
    for precision, folder in made.items():
        predictor = Predictor(folder, threads=threads)
        calls[precision] = partial(predictor.encoded_scores, [some], bucket)
    taken = latency.in_turn(calls, rounds=ROUNDS, reference="original")
    return {name: 1000 * float(np.nanmedian(each)) for name, each in taken.items()}


def _size(folder: Path) -> int:
    """Bytes of all that an export's card vouches for."""
    return sum(f.stat().st_size for f in folder.iterdir() if f.name != CARD)


def _said(verdict: Verdict, gate: Gate, safer: str | None = None) -> str:
    score = f"{gate.metric} {verdict.score[gate.metric]:.2f} (original {gate.score:.2f})"
    if not verdict.failed:
        worst = max(c.found for c in verdict.checks[:-1])
        return f"{verdict.precision} passed: {score}, outputs within {100 * worst:.2g}%"
    check = verdict.failed[0]
    more = f" and {len(verdict.failed) - 1} more" if len(verdict.failed) > 1 else ""
    return (
        f"{verdict.precision} failed: {check.name} {check.found:.3g}, allowed {check.allowed:g}{more}; "
        f"{score}" + (f"; falling back to {safer}" if safer else "")
    )


def _task(run: str, config: ExportConfig, trained: Trained) -> Task:
    """The data that a run was trained on, by its own word or as the settings say."""
    data = config.data
    if not data.task and not data.train:
        data = replace(data, task=_learned(Path(run)))
    if not data.task and not data.train:
        raise InputError(
            "no data to hold the export against",
            expected="the task or the files that it was trained on: --task NAME, or --train FILE",
        )
    task = source.load(data)
    if task.kind.name != trained.kind.name:
        raise InputError(
            f"data of kind {task.kind.name}", expected=f"the model's kind, {trained.kind.name}"
        )
    source.check_labels(task.dev, trained.kind, trained.labels, "the model")
    return task


def _learned(run: Path) -> str | None:
    """The catalog's task that a finished run was trained on, if it was one of the catalog's."""
    results = run / "results.json"
    name = read_json(results).get("task") if results.is_file() else None
    return name if name in catalog.TASKS else None


def _place(run: str) -> Path:
    if not Path(run).is_dir():
        raise InputError(f"{run}, which is no folder", expected="--out DIR for its export")
    return Path(run) / "export"

"""One encoder, from shards of text to a finished run: phase after phase of the one loop."""

import contextlib
import dataclasses
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from tokenizers import Tokenizer
from torch import nn
from transformers import PreTrainedModel

from ligero import config as settings
from ligero.config import FitConfig, PhaseConfig, PretrainConfig
from ligero.corpus.shards import TOKENIZER, Shards
from ligero.errors import DamagedError, InputError
from ligero.models import build, hub, language
from ligero.models.reference import MODEL_FOLDER, Reference, resolve
from ligero.pretrain.general import GeneralDistillation
from ligero.pretrain.masked import MaskedWords
from ligero.pretrain.ordered import OrderedSentences
from ligero.pretrain.replaced import Judged, ReplacedTokens
from ligero.pretrain.windows import Windows
from ligero.runs import CHECKPOINTS, MANIFEST, Run, publish, read_json, sha256, verify, write_json
from ligero.train import checkpoint, loop, ranks
from ligero.train.checkpoint import Position
from ligero.train.progress import Progress
from ligero.train.scorer import device

POSITION = "position.json"


@dataclass(frozen=True)
class Text:
    """What is learned from: shards for training and for validation, and their vocabulary."""

    train: Shards
    dev: Shards
    tokenizer: Tokenizer


def pretrain(config: PretrainConfig) -> dict[str, Any]:
    """Pre-train an encoder; the run's results. A finished run is not done again.

    Under torchrun every process calls this alike. Raises InputError for settings that do not go
    together, and for a folder begun with others, with other text or another vocabulary.
    """
    model = resolve(config.model)
    text = _text(config)
    _check(config, model, text)
    out = Path(config.place.out or Path("runs") / f"pretrain-{model.name.replace('/', '-')}")
    with ranks.joined():
        first = ranks.rank() == 0
        progress = Progress("pre-training", None if first else Console(quiet=True))
        with _run(out, config, model, text) if first else contextlib.nullcontext() as run:
            if ranks.told(run is not None and run.is_complete(progress.note)):
                progress.note("already finished")
                return read_json(out / "results.json")
            results = _train(config, model, text, out, progress)
            if run is not None:
                run.finish(results)
            ranks.wait()
            return results


def _run(out: Path, config: PretrainConfig, model: Reference, text: Text) -> Run:
    weights = None if model.weights is None else hub.fingerprint(build.locate(model.weights))
    teacher = config.distilbert.teacher
    return Run(
        out,
        "pretrain",
        {
            **settings.identity(config),
            "weights": weights,
            "teacher": hub.fingerprint(build.locate(teacher)) if teacher else None,
            "text": sha256(text.train.folder / MANIFEST),
            "valid": sha256(text.dev.folder / MANIFEST),
            "vocabulary": text.train.tokenizer,
        },
    )


def _text(config: PretrainConfig) -> Text:
    for name, folder in (("--shards", config.shards), ("--valid", config.valid)):
        if not folder:
            raise InputError(f"no {name}", expected=f"{name} DIR, from ligero corpus shards")
    train = Shards(config.shards)
    return Text(
        train,
        Shards(config.valid, train.folder / TOKENIZER),
        build.load_tokenizer(train.folder / TOKENIZER),
    )


def _check(config: PretrainConfig, model: Reference, text: Text) -> None:
    """What can be known to fail is refused before anything begins."""
    for shards in (text.train, text.dev):
        # A flipped byte would be another text: what follows could not be had again.
        shards.verify()
    if model.weights is not None:
        Shards(config.shards, build.locate(model.weights))
    if config.objective == "distilbert":
        if not config.distilbert.teacher:
            raise InputError("no teacher", expected="--distilbert.teacher FOLDER")
        Shards(config.shards, build.locate(config.distilbert.teacher))
    if config.compile and not any(map(shutil.which, ("g++", "clang++", "c++"))):
        raise InputError("--compile without a C++ compiler", expected="g++ or clang++")


def _train(
    config: PretrainConfig, reference: Reference, text: Text, out: Path, progress: Progress
) -> dict[str, Any]:
    loop.prepare(config.place.threads)
    model, wanted = _start(config, reference, text)
    model.to(device())
    if config.dropout is not None:
        language.set_dropout(wanted, config.dropout)
    if config.recompute:
        wanted.gradient_checkpointing_enable({"use_reentrant": False})
    if config.compile:
        for module in model.modules():
            if isinstance(module, PreTrainedModel) and module.base_model is not module:
                module.base_model.compile(dynamic=False)
    phases = []
    for number, phase in enumerate((config.phase, *config.then), 1):
        objective = _objective(config, phase, text)
        position = _phase(model, objective, config, phase, out / f"phase-{number}", progress)
        phases.append(
            {
                **dataclasses.asdict(phase),
                "tokens": position.tokens,
                "seconds": round(position.seconds, 1),
                **(position.metrics or {}),
            }
        )
    if ranks.rank() == 0:
        with publish(out / MODEL_FOLDER) as place:
            kept = wanted.base_model if config.objective == "replaced" else wanted
            build.save(
                kept, text.tokenizer, place,
                max_length=min(build.longest(wanted), max(p["length"] for p in phases)),
            )  # fmt: skip
    return {
        "model": reference.name,
        "objective": config.objective,
        "parameters": sum(p.numel() for p in wanted.base_model.parameters()),
        "entries": text.tokenizer.get_vocab_size(),
        "text": text.train.tokens,
        "tokens": sum(p["tokens"] for p in phases),
        "hours": round(sum(p["seconds"] for p in phases) / 3600, 3),
        "processes": ranks.count(),
        "device": str(device()),
        "threads": torch.get_num_threads(),
        "phases": phases,
    }


def _start(
    config: PretrainConfig, reference: Reference, text: Text
) -> tuple[nn.Module, PreTrainedModel]:
    """What is trained, and the encoder in it that is wanted in the end."""
    pairs = config.objective == "masked+order"
    if config.objective == "distilbert":
        teacher = language.load(build.locate(config.distilbert.teacher), seed=config.seed)
        layers = config.layers or -(-teacher.config.num_hidden_layers // 2)
        student = language.layers_of(teacher, layers)
        return student, student
    if reference.weights is None:
        assert reference.architecture is not None
        wanted = language.create(
            reference.architecture, tokenizer=text.tokenizer, seed=config.seed, pairs=pairs
        )
        if config.layers:
            wanted = build.cut(wanted, config.layers)
    else:
        layers = config.layers or reference.layers
        folder = build.locate(reference.weights)
        wanted = language.load(folder, layers=layers, seed=config.seed, pairs=pairs)
    if config.objective == "replaced":
        return Judged(wanted, config.replaced.layers, config.seed), wanted
    return wanted, wanted


def _objective(config: PretrainConfig, phase: PhaseConfig, text: Text) -> loop.Objective:
    train, dev = (
        Windows(shards, text.tokenizer, phase.length, seed=config.seed)
        for shards in (text.train, text.dev)
    )
    given = (train, dev, config.mask, config.seed, config.evaluate_windows)
    if config.objective == "replaced":
        return ReplacedTokens(*given, config.replaced)
    if config.objective == "distilbert":
        teacher = language.load(build.locate(config.distilbert.teacher), seed=config.seed)
        return GeneralDistillation(*given, teacher.to(device()), config.distilbert)
    return (OrderedSentences if config.objective == "masked+order" else MaskedWords)(*given)


def _phase(
    model: nn.Module,
    objective: loop.Objective,
    config: PretrainConfig,
    phase: PhaseConfig,
    folder: Path,
    progress: Progress,
) -> Position:
    """Train one phase, or load what it came to; its end."""
    done = folder / "end"
    with contextlib.suppress(DamagedError):
        verify(done)
        checkpoint.load_weights(done, model)
        return Position(**read_json(done / POSITION))
    progress.note(
        f"{phase.steps:,} steps of {phase.batch_size:,} windows of {phase.length} sub-words"
    )
    position = loop.fit(
        model,
        objective,
        config=_fit(config, phase),
        peak=phase.learning_rate,
        seed=config.seed,
        folder=folder,
        progress=progress,
    )
    if ranks.rank() == 0:
        with publish(done) as place:
            checkpoint.save_weights(model, place)
            write_json(place / POSITION, dataclasses.asdict(position))
        shutil.rmtree(folder / CHECKPOINTS, ignore_errors=True)
    ranks.wait()
    return position


def _fit(config: PretrainConfig, phase: PhaseConfig) -> FitConfig:
    """What the loop is told of a phase."""
    return FitConfig(
        steps=phase.steps,
        batch_size=phase.batch_size,
        warmup=phase.warmup,
        schedule=config.schedule,
        optimizer=config.optimizer,
        beta2=config.beta2,
        weight_decay=config.weight_decay,
        clip=config.clip,
        # The last weights have seen most; a best one of several looks at one sample is chance.
        select="last",
        precision=config.precision,
        bucketed=False,
        batch_tokens=config.batch_tokens,
        evaluate_steps=config.evaluate_steps,
        checkpoint_seconds=config.checkpoint_seconds,
    )

"""One encoder, from shards of text to a finished run: phase after phase of the one loop."""

import contextlib
import dataclasses
import shutil
from collections.abc import Mapping
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
from ligero.models import attention, build, hub, language, shape
from ligero.models.reference import MODEL_FOLDER, Reference, resolve
from ligero.pretrain.general import GeneralDistillation
from ligero.pretrain.masked import MaskedWords
from ligero.pretrain.ordered import OrderedSentences
from ligero.pretrain.replaced import Judged, ReplacedTokens
from ligero.pretrain.scale import SCALE
from ligero.pretrain.windows import Windows
from ligero.report import pretrain as page
from ligero.runs import (
    CHECKPOINTS,
    MANIFEST,
    Run,
    publish,
    read_json,
    sha256,
    sweep,
    verify,
    write_json,
)
from ligero.train import checkpoint, loop, order, ranks
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


def place(config: PretrainConfig) -> Path:
    """The run's folder: the one asked for, or one named after the model."""
    return Path(config.place.out or Path("runs") / f"pretrain-{config.model.replace('/', '-')}")


def pretrain(config: PretrainConfig, plan: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Pre-train an encoder; the run's results. A finished run is not done again.

    plan: how the settings were shrunk to a budget (`scale.fitted`), kept as `scale.json`.
    Under torchrun every process calls this alike. Raises InputError for settings that do not go
    together, and for a folder begun with others, with other text or another vocabulary.
    """
    model = resolve(config.model)
    text = open_text(config)
    _check(config, model, text)
    out = place(config)
    with ranks.joined():
        first = ranks.rank() == 0
        progress = Progress("pre-training", None if first else Console(quiet=True))
        with _run(out, config, model, text) if first else contextlib.nullcontext() as run:
            if ranks.told(run is not None and run.is_complete(progress.note)):
                progress.note("already finished")
                return read_json(out / "results.json")
            if run is not None and plan is not None:
                write_json(out / SCALE, plan)
            try:
                results = _train(config, model, text, out, progress)
            except InputError:
                # Nothing began: the folder is given back.
                if run is not None and not (out / "phase-1").exists():
                    (out / SCALE).unlink(missing_ok=True)
                raise
            if run is not None:
                page.write(out, settings.identity(config), results, progress.note)
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


def open_text(config: PretrainConfig) -> Text:
    """The shards that a configuration names; InputError where one is missing or not alike."""
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
    for phase in (config.phase, *config.then):
        for shards in (text.train, text.dev):
            Windows(shards, text.tokenizer, phase.length, seed=config.seed)
    if config.mask.mask + config.mask.random > 1:
        raise InputError(
            f"mask.mask = {config.mask.mask} and mask.random = {config.mask.random}",
            expected="shares of one whole",
        )
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
    model, wanted = ready(config, reference, text)
    phases: list[dict[str, Any]] = []
    for number, phase in enumerate((config.phase, *config.then), 1):
        # Else two phases of one length would read the same windows, hidden the same way.
        seed = config.seed if number == 1 else order.key("phase", config.seed, number)
        own = dataclasses.replace(config, seed=seed)
        objective = objective_of(own, phase, text, shape.step(wanted.config))
        position = _phase(model, objective, own, phase, out / f"phase-{number}", progress)
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
        # Results travel; where a folder lies on this machine need not.
        "model": Path(reference.name).name
        if Path(reference.name).is_absolute()
        else reference.name,
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


def ready(
    config: PretrainConfig, reference: Reference, text: Text
) -> tuple[nn.Module, PreTrainedModel]:
    """What `start` gives, on its device, as the settings want it trained."""
    model, wanted = start(config, reference, text)
    for phase in (config.phase, *config.then):
        if phase.length > build.longest(wanted):
            raise InputError(
                f"windows of {phase.length} sub-words",
                expected=f"at most the model's {build.longest(wanted)}",
            )
    model.to(device())
    if config.dropout is not None:
        language.set_dropout(model, config.dropout)
    for module in model.modules():
        if isinstance(module, PreTrainedModel) and module.base_model is not module:
            attention.use(module)
            if config.recompute:
                language.recompute(module)
            if config.compile:
                module.base_model.compile(dynamic=False)
    return model, wanted


def start(
    config: PretrainConfig, reference: Reference, text: Text
) -> tuple[nn.Module, PreTrainedModel]:
    """What is trained, and the encoder in it that is wanted in the end."""
    pairs = config.objective == "masked+order"
    if config.objective == "distilbert":
        teacher = _teacher(config, text, whole=True)
        layers = config.layers or -(-teacher.config.num_hidden_layers // 2)
        student = language.layers_of(teacher, layers)
        return student, student
    if reference.weights is None:
        assert reference.architecture is not None
        wanted = language.create(
            reference.architecture, tokenizer=text.tokenizer, seed=config.seed, pairs=pairs
        )
        if config.layers:
            wanted = build.sized(wanted, config.layers)
    else:
        layers = config.layers or reference.layers
        folder = build.locate(reference.weights)
        wanted = language.load(folder, layers=layers, seed=config.seed, pairs=pairs)
    if config.case:
        shape.add(wanted, text.tokenizer)
    if config.objective == "replaced":
        return Judged(wanted, config.replaced.layers, config.seed), wanted
    return wanted, wanted


def _teacher(config: PretrainConfig, text: Text, *, whole: bool) -> PreTrainedModel:
    """The teacher of a general distillation; with word shapes it reads what its student reads."""
    folder = build.locate(config.distilbert.teacher)
    teacher = language.load(folder, seed=config.seed, whole=whole)
    if config.case:
        shape.add(teacher, text.tokenizer)
    return teacher


def objective_of(
    config: PretrainConfig, phase: PhaseConfig, text: Text, shape_step: int = 0
) -> loop.Objective:
    """What is learned in a phase. shape_step: of the model, as `Windows` has it."""
    train, dev = (
        Windows(shards, text.tokenizer, phase.length, seed=config.seed, shape_step=shape_step)
        for shards in (text.train, text.dev)
    )
    given = (train, dev, config.mask, config.seed, config.evaluate_windows)
    if config.objective == "replaced":
        return ReplacedTokens(*given, config.replaced)
    if config.objective == "distilbert":
        teacher = _teacher(config, text, whole=False)
        return GeneralDistillation(*given, teacher.to(device()), config.distilbert)
    return (OrderedSentences if config.objective == "masked+order" else MaskedWords)(
        *given, config.compile
    )


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
    if ranks.rank() == 0:
        folder.mkdir(parents=True, exist_ok=True)
        sweep(folder)
    if done.is_dir():
        try:
            verify(done)
        except DamagedError as error:
            progress.note(f"{folder.name} is damaged and done again ({error})")
        else:
            checkpoint.load_weights(done, model)
            _drop_checkpoints(folder)
            return Position(**read_json(done / POSITION))
    progress.note(
        f"{phase.steps:,} steps of {phase.batch_size:,} windows of {phase.length} sub-words"
    )
    position = loop.fit(
        model,
        objective,
        config=fit_config(config, phase),
        peak=phase.learning_rate,
        seed=config.seed,
        folder=folder,
        progress=progress,
    )
    if ranks.rank() == 0:
        with publish(done) as place:
            checkpoint.save_weights(model, place)
            write_json(place / POSITION, dataclasses.asdict(position))
    ranks.wait()
    _drop_checkpoints(folder)
    return position


def _drop_checkpoints(folder: Path) -> None:
    """Free the space of what a finished phase no longer needs."""
    if ranks.rank() == 0:
        shutil.rmtree(folder / CHECKPOINTS, ignore_errors=True)


def fit_config(config: PretrainConfig, phase: PhaseConfig) -> FitConfig:
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

"""One trained model, from a reference to a finished run folder: by gold labels or by a teacher."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from ligero import config as settings
from ligero import vocab
from ligero.config import DistillConfig, FitConfig, VocabConfig
from ligero.errors import DamagedError
from ligero.models import build, hub
from ligero.models.reference import MODEL_FOLDER, Reference
from ligero.report.tables import TITLES
from ligero.runs import Run, digest, publish, verify
from ligero.tasks.scoring import scored_row
from ligero.tasks.source import Task
from ligero.train import loop
from ligero.train.distill import Distill
from ligero.train.features import Features
from ligero.train.finetune import Supervised
from ligero.train.progress import Progress
from ligero.train.scorer import device, evaluate
from ligero.train.teacher import TeacherCache, cache_key, example_digest
from ligero.train.trained import Trained

# Peak learning rates where the catalog does not say: the papers' highest for weights that were
# pre-trained, and what ligero's own small shapes learn well with for weights that were not.
PRETRAINED_PEAK = 5e-5
RANDOM_PEAK = 5e-4


@dataclass(frozen=True)
class Stage:
    """What both ways of training need.

    run: folder of the run. name: what the model is called in results. vocab, vocabulary: settings and
    folder of the vocabulary that a model without one gets; stages with one folder share it. begins:
    called once the run's folder is this process's own.
    """

    run: Path
    name: str
    task: Task
    model: Reference
    fit: FitConfig
    seed: int
    vocab: VocabConfig
    vocabulary: Path
    threads: int | None = None
    begins: Callable[[], None] = lambda: None


def finetune(stage: Stage) -> dict[str, Any]:
    """Train by gold labels; the run's results. A finished run is not done again."""
    return _train(stage, {}, lambda trained, progress: Supervised(*_splits(trained, stage.task)))


def distill(
    stage: Stage,
    teacher: Trained,
    known: Mapping[str, Any],
    config: DistillConfig,
    cache: Path,
) -> dict[str, Any]:
    """Train by a teacher's scores, read from or added to `cache`; the run's results.

    known: the teacher's own row of results, which the student's is set beside.
    """
    weights, tokenizer = build.weights_hash(teacher.model), tokenizer_hash(teacher.tokenizer)

    def objective(trained: Trained, progress: Progress) -> Distill:
        train, dev = _splits(trained, stage.task)
        read = teacher.features(stage.task.train.examples)
        digests = [example_digest(e) for e in stage.task.train.examples]
        outputs = TeacherCache(cache, cache_key(weights, tokenizer, read, digests), progress.note)
        with progress.counting("examples read by the teacher", len(set(digests))) as advance:
            targets = outputs.entries(teacher.model, read, digests, advance)
        progress.note(
            f"teacher outputs: {len(set(digests)) - outputs.computed:,} from the cache, "
            f"{outputs.computed:,} computed"
        )
        return Distill(train, dev, targets, config)

    facts = {"teacher": digest([weights, tokenizer, teacher.window]), "distill": asdict(config)}
    return _train(stage, facts, objective, {"teacher": dict(known)})


def _train(
    stage: Stage,
    facts: dict[str, Any],
    objective: Callable[[Trained, Progress], loop.Objective],
    beside: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    progress = Progress(TITLES[stage.name])
    identity = {
        "task": stage.task.name,
        "data": stage.task.digest,
        "model": stage.model.name,
        "weights": initial_weights(stage.model),
        "vocab": asdict(stage.vocab) if stage.model.is_random else None,
        "seed": stage.seed,
        "fit": settings.identity(stage.fit),
        **facts,
    }
    command = "distill" if "teacher" in facts else "finetune"
    with Run(stage.run, command, identity) as run:
        stage.begins()
        if run.is_complete(progress.note):
            progress.note("already finished")
            return run.results()
        loop.prepare(stage.threads)
        trained = start(stage)
        trained.model.to(device())
        position = loop.fit(
            trained.model,
            objective(trained, progress),
            config=stage.fit,
            peak=_peak(stage),
            seed=stage.seed,
            folder=stage.run,
            progress=progress,
        )
        trained.save(stage.run / MODEL_FOLDER)
        row = {
            **results_of(trained, stage.task, stage.model.name, dev=position.metrics),
            "steps": position.step,
            "tokens": position.tokens,
            "seconds": round(position.seconds, 1),
        }
        results = {
            "task": stage.task.name,
            "metric": stage.task.metric,
            "conventions": stage.task.kind.conventions(stage.task.labels),
            "scored": stage.task.scored,
            "models": {**(beside or {}), stage.name: row},
        }
        run.finish(results)
        return results


def results_of(
    trained: Trained, task: Task, name: str, dev: dict[str, float] | None = None
) -> dict[str, Any]:
    """A model's row of results on a task: parameters, scores, seconds for 1,000 texts.

    dev: its scores on the validation split, where those are known already.
    """
    row: dict[str, Any] = {
        # Results travel; where a folder lies on this machine need not.
        "model": Path(name).name if Path(name).is_absolute() else name,
        "parameters": trained.parameters,
        "dev": dev or evaluate(trained.model, trained.features(task.dev.examples)),
    }
    return row | scored_row(trained, task.test.examples, task.scored)[0]


def start(stage: Stage) -> Trained:
    """The model before training: with its own weights, or at random over the run's vocabulary."""
    task, reference = stage.task, stage.model
    if reference.weights is None:
        assert reference.architecture is not None
        make_vocabulary(stage.vocabulary, task, stage.vocab)
        tokenizer = build.load_tokenizer(stage.vocabulary)
        model = build.create(
            reference.architecture,
            kind=task.kind.name,
            labels=task.kind.rows(task.labels),
            tokenizer=tokenizer,
            seed=stage.seed,
        )
    else:
        folder = build.locate(reference.weights)
        tokenizer = build.load_tokenizer(folder)
        model = build.load(
            folder,
            kind=task.kind.name,
            labels=task.kind.rows(task.labels),
            layers=reference.layers,
            seed=stage.seed,
        )
    longest = build.longest(model)
    return Trained(
        model, tokenizer, task.kind, task.labels, min(stage.fit.window or longest, longest)
    )


def make_vocabulary(folder: Path, task: Task, config: VocabConfig) -> None:
    """Train a vocabulary from the task's training texts alone, unless it is there already."""
    progress = Progress("vocabulary")
    try:
        if verify(folder).get("made_from") == digest([task.digest, asdict(config)]):
            return
    except DamagedError as error:
        if folder.exists():
            progress.note(f"damaged; made again ({error})")
    tokenizer = vocab.train(
        (text for e in task.train.examples for text in e.texts),
        algorithm=config.algorithm,
        size=config.size,
        lowercase=config.lowercase,
    )
    with publish(folder, made_from=digest([task.digest, asdict(config)])) as place:
        vocab.save(tokenizer, place, max_length=512)
    progress.note(f"{tokenizer.get_vocab_size():,} sub-words from the training texts")


def tokenizer_hash(tokenizer: Tokenizer) -> str:
    """SHA-256 of a tokenizer's definition."""
    return digest(tokenizer.to_str())


def _splits(trained: Trained, task: Task) -> tuple[Features, Features]:
    return trained.features(task.train.examples), trained.features(task.dev.examples)


def initial_weights(model: Reference) -> str | None:
    """SHA-256 of what the model starts with, None for chance: a folder may change, a hub id move."""
    return None if model.weights is None else hub.fingerprint(build.locate(model.weights))


def _peak(stage: Stage) -> float:
    if stage.fit.learning_rate is not None:
        return stage.fit.learning_rate
    architecture = stage.model.architecture
    if architecture is None:
        return PRETRAINED_PEAK
    if stage.model.is_random and (architecture.hub is not None or architecture.released):
        # The catalog's rate is for the published weights, which this model starts without.
        return RANDOM_PEAK
    return architecture.learning_rate

"""One trained model, from a reference to a finished run folder: by gold labels or by a teacher."""

from collections.abc import Callable, Mapping, Sequence
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
from ligero.train.teacher import Entry, TeacherCache, average, cache_key, example_digest
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
    called once the run's folder is this process's own. watch: as `loop.fit` has it.
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
    watch: loop.Watch = lambda metric: None


def finetune(stage: Stage) -> dict[str, Any]:
    """Train by gold labels; the run's results. A finished run is not done again."""
    return _train(stage, {}, lambda trained, progress: Supervised(*_splits(trained, stage.task)))


def distill(
    stage: Stage,
    teachers: Sequence[Trained],
    known: Mapping[str, Any],
    config: DistillConfig,
    cache: Path,
) -> dict[str, Any]:
    """Train by the scores of a teacher, or of several averaged; the run's results.

    known: the teachers' own rows of results, which the student's is set beside. cache: where
    their scores are read from, or kept for others.
    """
    hashes = [
        (build.weights_hash(t.model), tokenizer_hash(t.tokenizer), t.window) for t in teachers
    ]

    def objective(trained: Trained, progress: Progress) -> Distill:
        train, dev = _splits(trained, stage.task)
        targets = [
            _targets(teacher, stage.task, cache, progress, weights, tokenizer)
            for teacher, (weights, tokenizer, _) in zip(teachers, hashes, strict=True)
        ]
        return Distill(train, dev, average(targets, config.average), config)

    made_by = digest(hashes[0] if len(hashes) == 1 else hashes)
    facts = {"teacher": made_by, "distill": asdict(config)}
    return _train(stage, facts, objective, known)


def _targets(
    teacher: Trained, task: Task, cache: Path, progress: Progress, weights: str, tokenizer: str
) -> list[Entry]:
    """A teacher's scores of the training examples. weights, tokenizer: hashes of its own."""
    read = teacher.features(task.train.examples)
    digests = [example_digest(e) for e in task.train.examples]
    outputs = TeacherCache(cache, cache_key(weights, tokenizer, read, digests), progress.note)
    with progress.counting("examples read by the teacher", len(set(digests))) as advance:
        targets = outputs.entries(teacher.model, read, digests, advance)
    progress.note(
        f"teacher outputs: {len(set(digests)) - outputs.computed:,} from the cache, "
        f"{outputs.computed:,} computed"
    )
    return targets


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
            peak=peak(stage.fit, stage.model),
            seed=stage.seed,
            folder=stage.run,
            progress=progress,
            watch=stage.watch,
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


def peak(fit: FitConfig, model: Reference) -> float:
    """The highest learning rate: as it is set, or the model's own."""
    if fit.learning_rate is not None:
        return fit.learning_rate
    architecture = model.architecture
    if architecture is None:
        return PRETRAINED_PEAK
    if model.is_random and (architecture.hub is not None or architecture.released):
        # The catalog's rate is for the published weights, which this model starts without.
        return RANDOM_PEAK
    return architecture.learning_rate

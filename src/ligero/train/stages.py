"""One trained model, from a reference to a finished run folder: by gold labels or by a teacher."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ligero import config as settings
from ligero import vocab
from ligero.config import DistillConfig, FitConfig, TaughtConfig, VocabConfig
from ligero.errors import DamagedError, InputError
from ligero.models import attention, build, dropout, hub, shape
from ligero.models.reference import MODEL_FOLDER, Reference
from ligero.report.tables import TITLES
from ligero.runs import Run, digest, publish, verify
from ligero.tasks import word_shapes
from ligero.tasks.example import Example
from ligero.tasks.scoring import scored_row
from ligero.tasks.source import Task
from ligero.tasks.words import worded
from ligero.train import inside, loop
from ligero.train.distill import Distill
from ligero.train.features import Features
from ligero.train.finetune import Supervised
from ligero.train.progress import Progress
from ligero.train.scorer import device, evaluate
from ligero.train.teacher import Teachers
from ligero.train.trained import Trained, bound
from ligero.train.unlabelled import Pool, Unlabelled

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
    more: Unlabelled | None = None,
) -> dict[str, Any]:
    """Train by the scores of a teacher, or of several averaged; the run's results.

    known: the teachers' own rows of results, which the student's is set beside. cache: where
    their scores are read from, or kept for others. Of several teachers the first one is at hand in
    training, where the settings ask for what is inside it. more: texts without labels, which they
    label too.
    """
    deep = inside.is_asked(config, stage.fit)
    taught = Teachers(teachers, config.average, cache)

    def objective(trained: Trained, progress: Progress) -> loop.Objective:
        if deep:
            pair = inside.pair(teachers[0].model.config, trained.model.config, config)
            heads = f", {pair.heads} relation heads" if config.relations else ""
            progress.note(
                f"layer {pair.teacher_layer} of the teacher beside {pair.student_layer} of the "
                f"student{heads}"
            )

        def features(examples: Sequence[Example]) -> Features:
            return trained.features([worded(e) for e in examples] if deep else examples)

        train, dev = (features(split.examples) for split in (stage.task.train, stage.task.dev))
        targets = taught.read(stage.task.train.examples, progress)
        pool = None
        if more:
            pool = Pool(more, lambda some: taught.label(some, progress.note), features)
            progress.note(
                f"text without labels: {len(pool.kept):,} of {len(more.examples):,} examples"
            )
        outputs = Distill(train, dev, targets, config, pool)
        if not deep:
            return outputs
        return inside.deepen(outputs, trained, teachers[0], pair, stage.fit, stage.seed)

    facts = {"teacher": taught.made_by, "distill": settings.identity(config)}
    if more:
        facts["unlabelled"] = {**settings.identity(more.config), "examples": more.digest()}
    return _train(stage, facts, objective, known)


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
        attention.use(trained.model)
        dropout.use(trained.model)
        began = time.monotonic()
        made = objective(trained, progress)
        prepared = time.monotonic() - began
        position = loop.fit(
            trained.model,
            made,
            config=stage.fit,
            peak=peak(stage.fit, stage.model),
            seed=stage.seed,
            folder=stage.run,
            progress=progress,
            watch=stage.watch,
        )
        inside.detach(trained.model)
        trained.save(stage.run / MODEL_FOLDER)
        row = {
            **results_of(trained, stage.task, stage.model.name, dev=position.metrics),
            "steps": position.step,
            "tokens": position.tokens,
            "seconds": round(position.seconds, 1),
            # Texts cut into sub-words, and read by the teacher where the cache does not know them.
            "prepared_seconds": round(prepared, 1),
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
    folder = None
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
    if stage.fit.case:
        shape.add(model, tokenizer)
    longest = build.longest(model)
    window = min(stage.fit.window or longest, longest)
    return bound(model, tokenizer, task.kind, task.labels, window, stage.fit.decoding, folder)


def check_case(model: Reference, fit: FitConfig, vocabulary: VocabConfig) -> None:
    """Raises InputError where word shapes are asked of a model that cannot have them."""
    if not fit.case:
        return
    if model.weights is None:
        assert model.architecture is not None
        family = model.architecture.family
        shape.check(family, vocab.FAMILIES[family].token_types)
        if not vocabulary.lowercase:
            raise InputError(
                "word shapes (case) for a new vocabulary that keeps case",
                expected="one that folds it: --vocab.lowercase true",
            )
        return
    folder = build.locate(model.weights)
    config = build.read_configuration(folder)
    shape.check(config.model_type, shape.has_types(config))
    word_shapes.check(build.load_tokenizer(folder))


def check_inside(
    teacher: Reference, student: Reference, fit: FitConfig, config: DistillConfig
) -> None:
    """Raises InputError where the settings ask for what is not inside the two models, as `inside.pair`."""
    if inside.is_asked(config, fit):
        inside.pair(_configuration(teacher), _configuration(student), config)


def without_effect(config: TaughtConfig, task: Task, teachers: int) -> list[str]:
    """What is set and does nothing beside the other settings, a sentence each. teachers: how many.

    No error, since a search may vary what only some of its combinations have a use for.
    """
    distill, pool, text = config.distill, config.pool, config.unlabeled is not None
    deep = bool(distill.relations or distill.hidden), "distill.relations or distill.hidden"
    uses = {
        ("distill", "average"): (teachers > 1, "several teachers"),
        ("distill", "temperature"): (distill.loss != "mse", "distill.loss kl or ce"),
        ("distill", "relation_heads"): (bool(distill.relations), "distill.relations"),
        ("distill", "teacher_layer"): deep,
        ("distill", "student_layer"): deep,
        **{("pool", name): (text, "unlabeled") for name in vars(pool)},
    }
    found = []
    for (section, name), (used, needed) in uses.items():
        value, plain = (getattr(getattr(c, section), name) for c in (config, TaughtConfig()))
        if value != plain and not used:
            found.append(f"{section}.{name} = {value} does nothing without {needed}")
    count = len(task.train.examples)
    if text and not round(pool.ratio * count):
        found.append(f"pool.ratio = {pool.ratio} of {count} examples is no text without labels")
    return found


def _configuration(model: Reference) -> Any:
    """transformers' configuration of a model before it is loaded or has a vocabulary."""
    if model.weights is None:
        assert model.architecture is not None
        return build.bare_configuration(model.architecture)
    config = build.read_configuration(build.locate(model.weights))
    config.num_hidden_layers = model.layers or config.num_hidden_layers
    return config


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

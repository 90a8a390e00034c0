"""All settings: what can be asked of each verb that trains.

The text beside each field is its help on the command line. A field marked `free` may change
between two calls of the same run: it does not change what comes out.
"""

from dataclasses import dataclass
from typing import Literal

from ligero.settings import (
    Option,
    build,
    convert,
    flag,
    further,
    identity,
    kind_of,
    laid,
    nest,
    options,
    read_toml,
    section,
    setting,
)

# What reads settings wants these beside them.
__all__ = [
    "Option",
    "build",
    "convert",
    "flag",
    "identity",
    "kind_of",
    "laid",
    "nest",
    "options",
    "read_toml",
]

ARITHMETIC = "arithmetic of the forward pass; auto: bf16 where the processor has it"


@dataclass(frozen=True)
class DataConfig:
    """Where labelled data come from: a task of the catalog, or one's own files."""

    task: str | None = setting(None, "a task of the catalog; leave out to give your own files")
    train: str | None = setting(None, "your own training file", metavar="FILE")
    dev: str | None = setting(
        None, "your own validation file; without one, a tenth of train", metavar="FILE"
    )
    test: str | None = setting(
        None, "your own test file; without one, scores are those of dev", metavar="FILE"
    )
    format: str | None = setting(None, "the files' format; guessed and said where it is left out")
    kind: str | None = setting(
        None, "the kind of task, where a format serves several (conllu: parse or tag)"
    )
    encoding: str | None = setting(None, "the files' encoding; guessed and said where left out")
    folder: str | None = setting(
        None, "folder with the catalog's files (else $LIGERO_DATA)", metavar="DIR", flag="data"
    )
    hub: bool = setting(False, "fetch from the hub what the catalog knows there and is not at hand")
    limit: int | None = setting(None, "use only the first so many training examples", least=1)


@dataclass(frozen=True)
class VocabConfig:
    """The vocabulary of models that start without weights, trained from the task's own text."""

    algorithm: Literal["unigram", "bpe", "wordpiece"] = setting(
        "unigram", "how sub-words are found"
    )
    size: int = setting(8000, "number of sub-words", least=1)
    lowercase: bool = setting(False, "fold case; accents are kept either way")


@dataclass(frozen=True)
class FitConfig:
    """One training run, whatever its objective."""

    epochs: int = setting(10, "passes over the training data")
    steps: int = setting(0, "steps of the optimiser in all; 0: what the epochs make")
    batch_size: int = setting(16, "examples in one step of the optimiser", least=1)
    learning_rate: float | None = setting(
        None, "peak learning rate; the model's own where left out"
    )
    schedule: Literal["linear", "cosine", "constant"] = setting("linear", "decay after the warm-up")
    warmup: float = setting(0.1, "share of the steps over which the learning rate rises", most=1)
    optimizer: Literal["adamw", "lamb"] = setting("adamw", "LAMB is for very large batches")
    beta2: float = setting(0.999, "how slowly the mean of squared gradients moves", most=1)
    weight_decay: float = setting(0.01, "decoupled weight decay")
    clip: float = setting(1.0, "largest norm of the gradient")
    patience: int = setting(0, "evaluations without a better score before stopping; 0: never")
    decoding: Literal["auto", "independent", "valid", "crf"] = setting(
        "auto",
        "a sentence's tags: each alone; as BIO or BIOES allows (auto: where they are such); by a CRF",
    )
    select: Literal["metric", "loss", "last"] = setting(
        "metric",
        "keep the checkpoint best by the task's metric, best by validation loss, or the last",
    )
    precision: Literal["auto", "fp32", "bf16"] = setting("fp32", ARITHMETIC)
    window: int | None = setting(
        None, "sub-words a model sees at once; its own maximum if left out", least=16
    )
    case: bool = setting(
        False, "word shapes for a vocabulary that folds case, through token types", later=True
    )
    bucketed: bool = setting(True, "batches of examples of similar length")
    accumulation: int = setting(1, "pieces, at least, into which a step's batch is cut", least=1)
    batch_tokens: int = setting(8192, "padded sub-words in one piece, at most", least=1)
    evaluate_steps: int = setting(0, "steps between evaluations; 0: at the end of each epoch")
    checkpoint_seconds: float = setting(
        60.0, "seconds between checkpoints, at most those of an epoch", free=True
    )


@dataclass(frozen=True)
class DistillConfig:
    """L = alpha CE + (1 - alpha) KD (Speedy Gonzales, section 3.1)."""

    alpha: float = setting(0.0, "weight of the gold labels' cross-entropy", most=1)
    loss: Literal["kl", "ce", "mse"] = setting("kl", "what compares student and teacher")
    temperature: float = setting(
        1.0, "softens both distributions (kl, ce), whose loss it scales by T²", least=0.01
    )
    average: Literal["logits", "probabilities"] = setting(
        "logits", "in which space several teachers are averaged"
    )
    relations: float = setting(
        0.0, "weight of the relations between words in a layer (MiniLMv2)", later=True
    )
    hidden: float = setting(0.0, "weight of the words' states after a layer (MSE)", later=True)
    relation_heads: int = setting(
        0, "heads into which relations are cut; 0: of 16 columns with the teacher, or wider",
        later=True,
    )  # fmt: skip
    teacher_layer: int = setting(
        0, "the teacher's layer to learn from (of several teachers, the first's); 0: its last",
        later=True,
    )  # fmt: skip
    student_layer: int = setting(0, "the student's layer that learns it; 0: its last", later=True)
    first: float = setting(
        0.0, "share of the steps, at the start, in which outputs are not learned yet",
        most=1, later=True,
    )  # fmt: skip


@dataclass(frozen=True)
class PoolConfig:
    """How text without labels is used, which the teacher alone labels."""

    ratio: float = setting(
        1.0,
        "examples without labels in each epoch, for each one with them",
        least=0.001,
        later=True,
    )
    confidence: float = setting(
        0.0, "leave out examples of which the teacher is less sure, on average", most=1, later=True
    )
    limit: int = setting(
        200_000, "examples taken from the files, at most: an even sample", least=1, later=True
    )
    text_field: str = setting(
        "text", "where JSON lines and Parquet files have their text", later=True
    )


@dataclass(frozen=True)
class PlaceConfig:
    """Where a run leaves its folders, and how much of the machine it takes."""

    out: str | None = setting(
        None, "the run's folder; named after task and model if left out", metavar="DIR"
    )
    threads: int | None = setting(None, "processor threads; all where left out")


@dataclass(frozen=True)
class RunConfig:
    """What every verb that trains asks."""

    # Free, as runs know the data by the hash of their content.
    data: DataConfig = section(DataConfig, free=True)
    seed: int = setting(0, "everything random follows from it")
    vocab: VocabConfig = section(VocabConfig)
    place: PlaceConfig = section(PlaceConfig, free=True)


@dataclass(frozen=True)
class FinetuneConfig(RunConfig):
    """One model fine-tuned on one task."""

    model: str = setting("ligero-tiny", "a model's name, a folder, or a hub id")
    fit: FitConfig = section(FitConfig)


@dataclass(frozen=True)
class TaughtConfig(RunConfig):
    """What distillation asks, on its own or within a compression."""

    teacher: str = setting(
        "", "a finished run or a fine-tuned model's folder; several, with commas, are averaged"
    )
    student: str = setting("ligero-tiny-2", "a model's name, a folder, or a hub id")
    distill: DistillConfig = section(DistillConfig)
    unlabeled: str | None = setting(
        None,
        "text without labels for the teacher to label: files with commas, or a folder of them",
        metavar="FILES",
        later=True,
    )
    pool: PoolConfig = section(PoolConfig, later=True)
    cache: str | None = setting(
        None,
        "folder of teacher outputs shared by all runs (else $LIGERO_CACHE, ~/.cache/ligero); "
        "run: the run's own",
        free=True,
        metavar="DIR",
    )


@dataclass(frozen=True)
class DistillRunConfig(TaughtConfig):
    """One student distilled from a finished teacher."""

    fit: FitConfig = section(FitConfig)


@dataclass(frozen=True)
class CompressConfig(TaughtConfig):
    """The whole road for one task: teacher, student alone, distilled student."""

    teacher: str = setting("ligero-tiny", "a model's name, a folder, a hub id, or a finished run")
    teacher_fit: FitConfig = section(FitConfig)
    student_fit: FitConfig = section(FitConfig)


@dataclass(frozen=True)
class ExportConfig:
    """A trained model made ready for use, on the data that it is held against."""

    data: DataConfig = section(DataConfig, free=True)
    runtime: Literal["openvino", "onnx"] = setting(
        "openvino", "what the export runs on: OpenVINO, or onnxruntime, which runs everywhere"
    )
    precision: Literal["auto", "int8", "bf16", "fp32"] = setting(
        "auto", "arithmetic; auto is the fastest that passes the gate"
    )
    decoding: Literal["own", "auto", "independent", "valid"] = setting(
        "own",
        "a sentence's tags: each alone; as BIO or BIOES allows; own: as the model was trained to",
    )
    calibration: int = setting(300, "training texts from which int8 takes its scales", least=1)
    seed: int = setting(0, "which texts those are, and which inputs the gate draws")
    place: PlaceConfig = section(PlaceConfig, free=True)


@dataclass(frozen=True)
class SearchConfig:
    """How a search goes through the settings that a recipe names, and what it calls the best."""

    way: Literal["grid", "adaptive"] = setting(
        "grid", "every combination, or ever better guesses (Optuna's TPE)"
    )
    select: Literal["metric", "loss"] = setting(
        "metric", "the best trial is that of the best score, or of the lowest loss, on dev"
    )
    trials: int = setting(20, "of an adaptive search, for each group", least=1)
    prune: bool = setting(False, "give up trials that stay below the median of those before them")
    seed: int = setting(0, "the guesses of an adaptive search follow from it")


@dataclass(frozen=True)
class PhaseConfig:
    """Part of a pre-training: windows of one length, under a schedule of its own."""

    length: int = setting(128, "sub-words in a window, special tokens included", least=16)
    batch_size: int = setting(32, "windows in one step of the optimiser", least=1)
    steps: int = setting(10_000, "steps of the optimiser", least=1)
    learning_rate: float = setting(1.5e-3, "peak learning rate")
    warmup: float = setting(0.06, "share of the steps over which the learning rate rises", most=1)


@dataclass(frozen=True)
class MaskConfig:
    """What is hidden from a model that learns to guess it (BERT, section 3.1; BETO)."""

    rate: float = setting(0.15, "share of the sub-words that are to be guessed", most=0.9)
    whole_words: bool = setting(True, "hide whole words, not sub-words one by one")
    mask: float = setting(0.8, "share of them that become [MASK]", most=1)
    random: float = setting(0.1, "share that becomes another sub-word; the rest stay", most=1)


@dataclass(frozen=True)
class ReplacedConfig:
    """ELECTRA's generator and how much its judge's loss weighs (Clark et al., 2020)."""

    layers: int = setting(1, "layers of the generator", least=1)
    weight: float = setting(50.0, "weight of the judge's loss beside the generator's")


@dataclass(frozen=True)
class GeneralConfig:
    """DistilBERT's three-part loss (Sanh et al., 2019, section 3; weights as in its code)."""

    teacher: str = setting("", "a folder or a hub id with the teacher, vocabulary shared")
    kl: float = setting(5.0, "weight of the teacher's distribution at masked positions")
    mlm: float = setting(2.0, "weight of the masked sub-words themselves")
    cosine: float = setting(1.0, "weight of the angle between last hidden states")
    temperature: float = setting(2.0, "softens both distributions", least=0.01)


@dataclass(frozen=True)
class PretrainConfig:
    """An encoder pre-trained on raw text: one phase, and others after it where given."""

    model: str = setting(
        "ligero-tiny:random", "a model's name, a folder, or a hub id to go on from"
    )
    layers: int | None = setting(
        None, "layers it is to have: fewer of its own, or these stacked", least=1
    )
    # Free, as runs know both by the hash of their content.
    shards: str = setting("", "what ligero corpus shards made", free=True, metavar="DIR")
    valid: str = setting("", "the same of held-out text", free=True, metavar="DIR")
    objective: Literal["masked", "masked+order", "replaced", "distilbert"] = setting(
        "masked", "what is learned"
    )
    case: bool = setting(
        False,
        "word shapes for a vocabulary that folds case, through token types; the shards need them too",
        later=True,
    )
    seed: int = setting(0, "everything random follows from it")
    phase: PhaseConfig = section(PhaseConfig)
    then: tuple[PhaseConfig, ...] = further("phases after it, as [[then]] tables in a TOML file")
    mask: MaskConfig = section(MaskConfig)
    replaced: ReplacedConfig = section(ReplacedConfig)
    distilbert: GeneralConfig = section(GeneralConfig)
    optimizer: Literal["adamw", "lamb"] = setting("adamw", "LAMB is for very large batches")
    schedule: Literal["linear", "cosine", "constant"] = setting("linear", "decay after the warm-up")
    beta2: float = setting(0.98, "how slowly the mean of squared gradients moves", most=1)
    weight_decay: float = setting(0.01, "decoupled weight decay")
    clip: float = setting(1.0, "largest norm of the gradient")
    dropout: float | None = setting(
        0.0, "while pre-training; none: the architecture's own", most=0.9
    )
    precision: Literal["auto", "fp32", "bf16"] = setting("auto", ARITHMETIC)
    batch_tokens: int = setting(8192, "sub-words in one piece of a step, at most", least=1)
    compile: bool = setting(False, "compile the encoder first (a minute; needs a C++ compiler)")
    recompute: bool = setting(
        False, "recompute activations in the backward pass: less memory, a third more time"
    )
    evaluate_steps: int = setting(500, "steps between evaluations")
    evaluate_windows: int = setting(512, "windows of held-out text read each time", least=1)
    checkpoint_seconds: float = setting(300.0, "seconds between checkpoints", free=True)
    place: PlaceConfig = section(PlaceConfig, free=True)


@dataclass(frozen=True)
class ServeConfig:
    """An HTTP server for exported models: where it answers, by what, and what it refuses."""

    host: str = setting("127.0.0.1", "address to listen at; 0.0.0.0 is the whole network")
    port: int = setting(8000, "port to listen at; 0 is a free one, which is printed", most=65_535)
    default: str | None = setting(
        None, "model that answers at /; where there is one alone, that", metavar="MODEL"
    )
    workers: int = setting(1, "processes that read texts, each with all models", least=1)
    threads: int | None = setting(None, "of each worker; else its share of the cores", least=1)
    warm: bool = setting(False, "meet every length before the first request does")
    queue: int = setting(256, "texts that may wait for a model; above that: 429", least=1)
    wait_ms: float = setting(
        1000.0, "milliseconds that texts may be expected to wait; above that: 429; 0 is any time"
    )
    batch: int = setting(16, "texts that a worker reads at once, at most", least=1)
    batch_wait_ms: float = setting(0.0, "milliseconds for which a batch waits for more texts")
    timeout_ms: int = setting(
        10_000, "milliseconds for an answer, above that: 504; X-Timeout-Ms lowers it", least=1
    )
    worker_seconds: float = setting(
        60.0, "seconds after which a worker that does not answer is replaced", least=0.1
    )
    max_body: int = setting(1 << 20, "bytes of a request's body; above that: 413", least=1)
    max_texts: int = setting(128, "texts of one request", least=1)
    max_characters: int = setting(50_000, "characters of one text", least=1)
    connections: int = setting(
        500, "clients at once; one more takes an idle one's place, or gets 429", least=1
    )
    read_seconds: float = setting(10.0, "seconds for a request to arrive; then: 408", least=0.1)
    idle_seconds: float = setting(
        30.0, "seconds after which an idle client is hung up on", least=0.1
    )
    token_file: str | None = setting(
        None, "file with the token that clients must bring (else $LIGERO_TOKEN)", metavar="FILE"
    )
    cors: str | None = setting(
        None, "origin whose pages may ask, such as https://ejemplo.es", metavar="ORIGIN"
    )
    report: str | None = setting(
        None, "folder that ligero report wrote, shown as the page's second view", metavar="DIR"
    )
    log: bool = setting(False, "one line a request on the standard error; never a text")

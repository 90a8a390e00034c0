"""Settings: a TOML file and flags become frozen dataclasses; an unknown key is an error.

The text beside each field is its help on the command line. A field marked `free` may change
between two calls of the same run: it does not change what comes out.
"""

import dataclasses
import math
import tomllib
import types
import typing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar, Union

from ligero.errors import InputError, excerpt, unknown

T = TypeVar("T")


def setting(
    default: Any,
    text: str,
    *,
    free: bool = False,
    metavar: str = "",
    flag: str = "",
    least: float = 0,
    most: float = math.inf,
) -> Any:
    """A dataclass field with its default and its one-sentence help; a number's least and most.

    flag: its name on the command line, where that is not the field's own.
    """
    facts = {
        "help": text, "free": free, "metavar": metavar, "flag": flag, "range": (least, most)
    }  # fmt: skip
    return field(default=default, metadata=facts)


def section(cls: type, *, free: bool = False) -> Any:
    """A dataclass field that is itself a group of settings."""
    return field(default_factory=cls, metadata={"free": free})


def further(text: str) -> Any:
    """A dataclass field of as many groups of settings as a TOML file has tables for."""
    return field(default=(), metadata={"help": text, "free": False})


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
    select: Literal["metric", "loss", "last"] = setting(
        "metric",
        "keep the checkpoint best by the task's metric, best by validation loss, or the last",
    )
    precision: Literal["fp32", "bf16"] = setting("fp32", "arithmetic of the forward pass")
    window: int | None = setting(
        None, "sub-words a model sees at once; its own maximum if left out", least=16
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

    teacher: str = setting("", "a finished run, or a folder with a fine-tuned model")
    student: str = setting("ligero-tiny", "a model's name, a folder, or a hub id")
    distill: DistillConfig = section(DistillConfig)
    cache: str | None = setting(
        None,
        "folder of teacher outputs shared by all runs (else $LIGERO_CACHE, ~/.cache/ligero)",
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

    teacher: str = setting("ligero-small", "a model's name, a folder, a hub id, or a finished run")
    teacher_fit: FitConfig = section(FitConfig)
    student_fit: FitConfig = section(FitConfig)


@dataclass(frozen=True)
class PhaseConfig:
    """Part of a pre-training: windows of one length, under a schedule of its own."""

    length: int = setting(128, "sub-words in a window, special tokens included", least=16)
    batch_size: int = setting(32, "windows in one step of the optimiser", least=1)
    steps: int = setting(10_000, "steps of the optimiser")
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

    model: str = setting("ligero-tiny", "a model's name, a folder, or a hub id to go on from")
    layers: int | None = setting(None, "how many of its layers to keep", least=1)
    # Free, as runs know both by the hash of their content.
    shards: str = setting("", "what ligero corpus shards made", free=True, metavar="DIR")
    valid: str = setting("", "the same of held-out text", free=True, metavar="DIR")
    objective: Literal["masked", "masked+order", "replaced", "distilbert"] = setting(
        "masked", "what is learned"
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
    precision: Literal["fp32", "bf16"] = setting("bf16", "arithmetic of the forward pass")
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
class Option:
    """One setting as the command line sees it. `path` is where it stands in a TOML file."""

    path: tuple[str, ...]
    type: Any
    default: Any
    help: str
    metavar: str
    flag: str


# Sections whose settings need no prefix on the command line: their names are clear alone.
PLAIN_SECTIONS = ("data", "place", "fit", "phase")


def options(cls: type, path: tuple[str, ...] = ()) -> list[Option]:
    """Every setting of a dataclass and its sections, in order."""
    hints = typing.get_type_hints(cls)
    found = []
    for f in dataclasses.fields(cls):
        if dataclasses.is_dataclass(hints[f.name]):
            found += options(typing.cast(type, hints[f.name]), (*path, f.name))
        elif _several(hints[f.name]) is None:
            metavar = f.metadata["metavar"] or kind_of(hints[f.name])
            found.append(
                Option(
                    (*path, f.name),
                    hints[f.name],
                    f.default,
                    f.metadata["help"],
                    metavar,
                    f.metadata["flag"],
                )
            )
    return found


def flag(option: Option) -> str:
    """`--learning-rate` or, in a section that several of its kind share, `--teacher-fit.epochs`."""
    path = option.path[1:] if option.path[0] in PLAIN_SECTIONS else option.path
    if option.flag:
        path = (*path[:-1], option.flag)
    return "--" + ".".join(path).replace("_", "-")


def kind_of(hint: Any) -> str:
    """What a flag wants, for its help."""
    if typing.get_origin(hint) in (Union, types.UnionType):
        return kind_of(next(a for a in typing.get_args(hint) if a is not type(None)))
    if typing.get_origin(hint) is Literal:
        return "|".join(typing.get_args(hint))
    return {int: "N", float: "X", bool: "true|false"}.get(hint, "NAME")


def read_toml(path: str | Path) -> dict[str, Any]:
    """The tables of a TOML file."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot be read: {error}", file=path) from error
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"not TOML: {error}", file=path) from error


def build(cls: type[T], values: dict[str, Any], where: str = "settings") -> T:
    """A dataclass from nested dictionaries; InputError for an unknown key or a wrong type."""
    hints = typing.get_type_hints(cls)
    ranges = {
        f.name: f.metadata.get("range", ()) for f in dataclasses.fields(typing.cast(Any, cls))
    }
    made: dict[str, Any] = {}
    for name, value in values.items():
        if name not in hints:
            raise unknown(f"setting in {where}", name, hints)
        hint = hints[name]
        if dataclasses.is_dataclass(hint):
            if not isinstance(value, dict):
                raise InputError(f"{where}: {name} = {excerpt(str(value))}", expected="a table")
            made[name] = build(typing.cast(type, hint), value, f"{where}.{name}")
        elif (each := _several(hint)) is not None:
            if not isinstance(value, list) or not all(isinstance(table, dict) for table in value):
                raise InputError(f"{where}: {name} = {excerpt(str(value))}", expected=f"[[{name}]]")
            made[name] = tuple(build(each, table, f"{where}.{name}") for table in value)
        else:
            made[name] = convert(hint, value, f"{where}: {name}", *ranges[name])
    return cls(**made)


def _several(hint: Any) -> Any:
    """The dataclass that a setting holds any number of; None where it holds one value."""
    return typing.get_args(hint)[0] if typing.get_origin(hint) is tuple else None


def convert(hint: Any, value: Any, where: str, least: float = 0, most: float = math.inf) -> Any:
    """`value` (from TOML or a flag's text) as the type that the setting asks for."""
    origin = typing.get_origin(hint)
    if origin in (Union, types.UnionType):
        if value is None:
            return None
        (inner,) = [a for a in typing.get_args(hint) if a is not type(None)]
        return convert(inner, value, where, least, most)
    if origin is Literal:
        choices = typing.get_args(hint)
        if value in choices:
            return value
        raise InputError(
            f"{where} = {excerpt(str(value))}", expected=f"one of {', '.join(choices)}"
        )
    if hint is bool:
        words = {"true": True, "false": False, "yes": True, "no": False}
        made = value if isinstance(value, bool) else words.get(str(value).lower())
        if made is None:
            raise InputError(f"{where} = {excerpt(str(value))}", expected="true or false")
        return made
    if hint is str:
        if isinstance(value, str):
            return value
        raise InputError(f"{where} = {value!r}", expected="text")
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise InputError(f"{where} = {excerpt(str(value))}", expected=f"a number ({hint.__name__})")
    try:
        number = hint(value)
        fits = number == float(value) < math.inf and least <= number <= most
    except (ValueError, OverflowError):
        fits = False
    if not fits:
        kind = "a whole number" if hint is int else "a number"
        span = f"from {least:g} to {most:g}" if most < math.inf else f"at least {least:g}"
        span = "not negative" if (least, most) == (0, math.inf) else span
        raise InputError(f"{where} = {excerpt(str(value))}", expected=f"{kind}, {span}")
    return number


def nest(flags: dict[tuple[str, ...], Any], over: dict[str, Any]) -> dict[str, Any]:
    """Flags laid over the tables of a TOML file."""
    for path, value in flags.items():
        table = over
        for name in path[:-1]:
            table = table.setdefault(name, {})
            if not isinstance(table, dict):
                raise InputError(f"settings: {name} = {table!r}", expected="a table")
        table[path[-1]] = value
    return over


def identity(config: Any) -> dict[str, Any]:
    """The settings that decide what comes out, as JSON; the rest may change between calls."""
    found: dict[str, Any] = {}
    for f in dataclasses.fields(config):
        value = getattr(config, f.name)
        if f.metadata["free"]:
            continue
        if isinstance(value, tuple):
            found[f.name] = [identity(each) for each in value]
        else:
            found[f.name] = identity(value) if dataclasses.is_dataclass(value) else value
    return found

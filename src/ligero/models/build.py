"""Models: create at random, load, cut to n layers, save. Weights are safetensors; no remote code.

Every random draw is a function of a seed and leaves torch's own generators as they were.
"""

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import Tokenizer
from torch import nn
from transformers import AutoConfig, AutoTokenizer, PreTrainedModel
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

from ligero import errors, vocab
from ligero.errors import InputError
from ligero.models import hub
from ligero.models.catalog import Architecture
from ligero.models.hub import locate
from ligero.models.parser import parser_class
from ligero.models.weights import cut, drawn_from, quiet, sized, weights_hash

__all__ = [
    "KINDS",
    "bare_configuration",
    "configuration",
    "create",
    "cut",
    "load",
    "load_tokenizer",
    "locate",
    "longest",
    "model_class",
    "save",
    "sized",
    "weights_hash",
]

# Kind of task -> the class of transformers that gives an encoder the head for it.
_AUTO_CLASSES = {
    "tag": "AutoModelForTokenClassification",
    "classify": "AutoModelForSequenceClassification",
    "answer": "AutoModelForQuestionAnswering",
}

KINDS = (*_AUTO_CLASSES, "parse")
"""The kinds of task that an encoder can be given a head for."""

# What the rows of transformers' question answering layer are, whatever a configuration calls them.
_ANSWER_ROWS = ("start", "end")

# Families whose positions start after the padding id (fairseq's convention).
_OFFSET_POSITIONS = frozenset({"roberta", "camembert", "xlm-roberta"})


def bare_configuration(architecture: Architecture) -> Any:
    """transformers' configuration of an architecture, whatever its vocabulary will be."""
    return CONFIG_MAPPING[architecture.family](**thaw(architecture.config))


def configuration(
    architecture: Architecture, *, labels: Sequence[str] | None, tokenizer: Tokenizer
) -> Any:
    """transformers' configuration of an architecture for a vocabulary and label names (None: a
    model without a task).

    Raises InputError when `labels` is empty or repeats a name, or when the vocabulary has no
    padding, classification or separator token.
    """
    ids = vocab.special_ids(tokenizer)
    settings = thaw(architecture.config)
    if architecture.family in _OFFSET_POSITIONS:
        # Published with padding id 1; another vocabulary's may be 0 or 5.
        settings["max_position_embeddings"] = architecture.max_length + ids["pad_id"] + 1
    config = CONFIG_MAPPING[architecture.family](
        vocab_size=tokenizer.get_vocab_size(),
        pad_token_id=ids["pad_id"],
        bos_token_id=ids["cls_id"],
        eos_token_id=ids["sep_id"],
        cls_token_id=ids["cls_id"],
        sep_token_id=ids["sep_id"],
        **settings,
    )
    if labels is not None:
        _name_labels(config, labels)
    return config


def create(
    architecture: Architecture,
    *,
    kind: str,
    labels: Sequence[str],
    tokenizer: Tokenizer,
    seed: int,
) -> PreTrainedModel:
    """A model with random weights: a function of architecture, labels, vocabulary size and seed.

    kind: one of `KINDS`, see `model_class`. labels: what the rows of the last layer score, in order;
    "start" and "end" for "answer". tokenizer: gives the vocabulary's size and special ids.

    Returned in float32, in evaluation mode. Raises InputError for an unknown kind, for other labels
    of "answer", and as `configuration` does.
    """
    _check_rows(kind, labels)
    return _draw(configuration(architecture, labels=labels, tokenizer=tokenizer), kind, seed)


def load(
    folder: str | Path,
    *,
    kind: str,
    labels: Sequence[str],
    layers: int | None = None,
    seed: int,
) -> PreTrainedModel:
    """A checkpoint's encoder with a head for `kind` and `labels`, float32, in evaluation mode.

    A head that the checkpoint already has for this kind and these label names is kept, its rows put
    in the order of `labels`. Otherwise the layer of the labels, and whatever else the checkpoint
    lacks (a pooler, a pre-classifier), is drawn from `seed`.

    layers: how many of the checkpoint's layers to keep, see `cut`; None keeps all.

    Raises InputError for a folder that `hub.check` refuses, an unknown kind, a configuration that
    transformers does not know or that asks for its own code, weights that do not fit the
    configuration, or a number of layers the checkpoint does not have.
    """
    folder = Path(folder)
    _check_rows(kind, labels)
    hub.check(folder)
    config = read_configuration(folder)
    wanted = model_class(kind, config)
    if kind == "answer" and config.num_labels == len(labels):
        _name_labels(config, labels)
    kept = _has_head(config, wanted, labels)
    if kept:
        order = [config.label2id[label] for label in labels]
    else:
        _name_labels(config, labels)
        config.problem_type = None
    model, lacking = read_weights(wanted, folder, config, seed)
    layer_name, layer = _label_layer(model)
    label_keys = {f"{layer_name}.{name}" for name, _ in layer.named_parameters()}
    if kept and not lacking & label_keys:
        _reorder(layer, order)
    else:
        lacking |= label_keys
    # transformers copied the configuration it was given.
    _name_labels(model.config, labels)
    if lacking:
        _fill(model, lacking, kind, seed)
    return (model if layers is None else cut(model, layers)).eval()


def save(
    model: PreTrainedModel, tokenizer: Tokenizer, folder: str | Path, *, max_length: int
) -> None:
    """Writes `config.json`, `model.safetensors` and the tokenizer's files into `folder`, created
    when missing; plain transformers loads it. Making the whole atomic is the caller's part.

    max_length: longest window in sub-words, special tokens included.

    Raises InputError when the tokenizer has ids that the model has no embedding for, or when
    `max_length` is longer than the model's positions.
    """
    folder = Path(folder)
    entries, rows = tokenizer.get_vocab_size(), model.config.vocab_size
    if entries > rows:
        raise InputError(
            f"a vocabulary of {entries} entries", expected=f"at most the model's {rows}"
        )
    if max_length > longest(model):
        raise InputError(
            f"a window of {max_length} sub-words", expected=f"at most {longest(model)}"
        )
    folder.mkdir(parents=True, exist_ok=True)
    with quiet():
        # One file, whatever the size: `model.safetensors` is part of the folder's contract.
        model.save_pretrained(folder, max_shard_size="1TB")
    types = (getattr(model.config, "type_vocab_size", None) or 0) > 1
    vocab.save(tokenizer, folder, max_length=max_length, token_types=types)


def load_tokenizer(folder: str | Path) -> Tokenizer:
    """The tokenizer of a checkpoint, without the truncation and padding its file may ask for.

    `tokenizer.json` is taken as it stands. Without one, transformers converts what there is
    (`vocab.txt`, `vocab.json` with `merges.txt`, a SentencePiece `.model`), accents kept.

    Raises InputError when there is none or it cannot be read.
    """
    folder = Path(folder)
    file = folder / "tokenizer.json"
    if file.is_file():
        try:
            tokenizer = Tokenizer.from_file(str(file))
        except Exception as error:  # the library raises nothing narrower
            raise InputError(f"no valid tokenizer ({_first_line(error)})", file=file) from None
    else:
        tokenizer = _convert_tokenizer(folder)
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def model_class(kind: str, config: Any) -> type[PreTrainedModel]:
    """The class that gives the encoder of a configuration the head for a kind of task.

    All but that of "parse" are transformers' own; scores are [batch, length, labels] for "tag",
    [batch, labels] for "classify", [batch, length] of a start and of an end for "answer", and
    `parser.ParserOutput` for "parse".

    Raises InputError for an unknown kind, or one that the encoder's family has no head for.
    """
    if kind not in KINDS:
        raise errors.unknown("kind of task", kind, KINDS)
    try:
        if kind == "parse":
            return parser_class(config.__class__)
        return getattr(transformers, _AUTO_CLASSES[kind])._model_mapping[type(config)]
    except KeyError:
        raise InputError(
            f"model type {config.model_type}", expected=f"an encoder with a head for {kind}"
        ) from None


def longest(model: PreTrainedModel) -> int:
    """Longest input of a model in sub-words, special tokens included."""
    config = model.config
    positions = int(config.max_position_embeddings)
    if config.model_type in _OFFSET_POSITIONS:
        return positions - config.pad_token_id - 1
    return positions


def thaw(value: Any) -> Any:
    """The catalog's read-only mappings and tuples as the dicts and lists that JSON knows."""
    if isinstance(value, Mapping):
        return {key: thaw(item) for key, item in value.items()}
    return [thaw(item) for item in value] if isinstance(value, tuple) else value


def _name_labels(config: Any, labels: Sequence[str]) -> None:
    if not labels or len(set(labels)) != len(labels):
        raise InputError(
            f"{len(labels)} labels, {len(set(labels))} distinct", expected="distinct names"
        )
    config.id2label = dict(enumerate(labels))
    config.label2id = {label: index for index, label in enumerate(labels)}


def _draw(config: Any, kind: str, seed: int) -> PreTrainedModel:
    with quiet(), drawn_from(seed):
        model = model_class(kind, config)._from_config(
            config, attn_implementation="sdpa", dtype=torch.float32
        )
    return model.eval()


def read_weights(
    wanted: type[PreTrainedModel], folder: Path, config: Any, seed: int
) -> tuple[PreTrainedModel, set[str]]:
    """A checkpoint as a model of a class, and the names of what it lacks, drawn by transformers.

    Raises InputError for weights that do not fit the configuration, or lack part of the encoder.
    """
    try:
        with quiet(), drawn_from(seed):
            model, report = wanted.from_pretrained(
                folder,
                config=config,
                dtype=torch.float32,
                attn_implementation="sdpa",
                use_safetensors=True,
                local_files_only=True,
                # The head is what may differ; what else does is refused below.
                ignore_mismatched_sizes=True,
                output_loading_info=True,
            )
    except (ValueError, KeyError, OSError, RuntimeError) as error:
        raise InputError(
            f"weights that transformers cannot load: {_first_line(error)}", file=folder
        ) from None
    lacking = set(report["missing_keys"]) | {key for key, *_ in report["mismatched_keys"]}
    _check_encoder(model, lacking, folder)
    return model, lacking


def read_configuration(folder: Path) -> Any:
    """A checkpoint's configuration; InputError where transformers does not know its model."""
    file = folder / hub.CONFIG
    raw = hub.read_json(file)
    family = raw.get("model_type")
    if not isinstance(family, str) or family not in CONFIG_MAPPING:
        if "auto_map" in raw:
            raise InputError(
                "a model that asks to run code of its own (auto_map)",
                file=file,
                expected="a model type of transformers; code from a checkpoint is never run",
            )
        raise InputError(
            f"model_type {errors.excerpt(str(family))}",
            file=file,
            expected="one that transformers knows, such as bert, albert, roberta or modernbert",
        )
    try:
        with quiet():
            config = AutoConfig.from_pretrained(
                folder, trust_remote_code=False, local_files_only=True
            )
    except Exception as error:  # each family validates in its own way
        raise InputError(f"no valid configuration ({_first_line(error)})", file=file) from None
    # Two maps for one order: id2label is the one that says which row is which.
    config.label2id = {label: index for index, label in config.id2label.items()}
    # Code that was not run is not passed on with the weights either.
    vars(config).pop("auto_map", None)
    return config


def _check_rows(kind: str, labels: Sequence[str]) -> None:
    if kind == "answer" and tuple(labels) != _ANSWER_ROWS:
        raise InputError(
            f"the rows {errors.excerpt(', '.join(labels))}", expected=" and ".join(_ANSWER_ROWS)
        )


def _has_head(config: Any, wanted: type[PreTrainedModel], labels: Sequence[str]) -> bool:
    same = len(labels) == len(config.id2label) and set(labels) == set(config.id2label.values())
    return same and wanted.__name__ in (config.architectures or ())


def _label_layer(model: PreTrainedModel) -> tuple[str, nn.Linear]:
    """The last linear layer outside the encoder: one row for each label."""
    inside = f"{model.base_model_prefix}."
    *_, found = (
        (name, module)
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear) and not name.startswith(inside)
    )
    return found


def _check_encoder(model: PreTrainedModel, lacking: set[str], folder: Path) -> None:
    """Refuses a checkpoint that lacks part of the encoder: transformers would draw it at random."""
    inside = f"{model.base_model_prefix}."
    encoder = sorted(key for key in lacking if key.startswith(inside) and ".pooler." not in key)
    if encoder:
        raise InputError(
            f"{len(encoder)} weights missing or of another shape than config.json says, "
            f"{encoder[0]} first",
            file=folder,
            expected="the whole encoder",
        )


def _reorder(layer: nn.Linear, order: list[int]) -> None:
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.copy_(parameter[order].clone())


def _fill(model: PreTrainedModel, names: set[str], kind: str, seed: int) -> None:
    """Draws the named parameters from `seed`, as transformers would for a new model.

    They are taken from a new model of the same configuration, so they depend on nothing else: not
    on what the checkpoint had in their place, nor on the order in which it was read.
    """
    config = copy.deepcopy(model.config)
    # Word embeddings are most of a small model's draws and none of a head's.
    config.vocab_size = (config.pad_token_id or 0) + 1
    new = dict(_draw(config, kind, seed).named_parameters())
    with torch.no_grad():
        for name in sorted(names):
            model.get_parameter(name).copy_(new[name])


def _convert_tokenizer(folder: Path) -> Tokenizer:
    options = {"trust_remote_code": False, "local_files_only": True}
    if any(folder.glob("*.model")):
        # AlbertTokenizer drops accents unless told: "niño" would become "nino".
        options["keep_accents"] = True
    try:
        with quiet():
            converted = AutoTokenizer.from_pretrained(folder, **options)
            return converted.backend_tokenizer
    except Exception as error:  # a missing file, format or optional library, each its own way
        raise InputError(
            f"no tokenizer.json, and no other vocabulary that transformers can convert "
            f"({_first_line(error)})",
            file=folder,
            expected="tokenizer.json; a SentencePiece .model also needs sentencepiece and protobuf",
        ) from None


def _first_line(error: Exception) -> str:
    return next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)

"""What is done to weights whatever the model: draw them from a seed, cut layers, fingerprint."""

import contextlib
import copy
import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence

import torch
from transformers import PreTrainedModel
from transformers.utils import logging as chatter

from ligero.errors import InputError

_LAYER = re.compile(r"(.*\.layers?\.)(\d+)(\..*)")


@contextlib.contextmanager
def drawn_from(seed: int) -> Iterator[None]:
    """Random weights inside follow `seed`; torch's CPU generator is as before afterwards.

    Weights are drawn on the CPU, so the generators of other devices are left alone.
    """
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Silences transformers' warnings and bars: what matters of them is an error of ligero."""
    verbosity, bars = chatter.get_verbosity(), chatter.is_progress_bar_enabled()
    chatter.set_verbosity_error()
    chatter.disable_progress_bar()
    try:
        yield
    finally:
        chatter.set_verbosity(verbosity)
        if bars:
            chatter.enable_progress_bar()


def cut(model: PreTrainedModel, layers: int) -> PreTrainedModel:
    """A copy of `model` with `layers` of its encoder's layers, head and embeddings included; `model`
    itself when those are all it has.

    ALBERT's tied layer is applied `layers` times. Any other family keeps layers evenly spaced from
    the first to the last, as `spread` says. The copy's configuration says so, and once saved it
    loads in plain transformers.

    Raises InputError unless 1 <= layers <= the model's own number.
    """
    total = model.config.num_hidden_layers
    if not 1 <= layers <= total:
        raise InputError(f"{layers} layers", expected=f"1 to {total}, what the model has")
    return model if layers == total else _of_layers(model, spread(total, layers))


def stack(model: PreTrainedModel, layers: int) -> PreTrainedModel:
    """A deeper copy of `model`, whose further layers are its own again: 0 1 2 3, 1 2 3, 1 … (Gong et
    al., 2019, Efficient Training of BERT by Progressively Stacking).

    The first layer, which reads embeddings, is not repeated where there are others. ALBERT's tied
    layer is applied more often. Pre-training goes on from there in far less time than from nothing.

    Raises InputError for fewer layers than the model has.
    """
    total = model.config.num_hidden_layers
    if layers < total:
        raise InputError(f"{layers} layers", expected=f"{total} at least, what the model has")
    again = range(1, total) if total > 1 else range(1)
    chosen = [*range(total), *(again[n % len(again)] for n in range(layers - total))]
    return model if layers == total else _of_layers(model, chosen)


def sized(model: PreTrainedModel, layers: int) -> PreTrainedModel:
    """`model` with so many layers, cut or stacked."""
    return (cut if layers <= model.config.num_hidden_layers else stack)(model, layers)


def _of_layers(model: PreTrainedModel, chosen: list[int]) -> PreTrainedModel:
    """A copy of `model` whose layers are the chosen ones of its own, in that order."""
    config = copy.deepcopy(model.config)
    config.num_hidden_layers = len(chosen)
    state = model.state_dict()
    groups = getattr(config, "num_hidden_groups", None)
    if groups is None:
        if getattr(config, "layer_types", None):
            config.layer_types = [config.layer_types[index] for index in chosen]
        state = _renumbered(state, chosen)
    elif groups != 1:
        # Which group a layer uses depends on the total, so another total would change every layer.
        raise InputError(f"{groups} groups of tied layers", expected="1, to change their number")
    with quiet(), drawn_from(0):
        other = type(model)._from_config(config, attn_implementation="sdpa", dtype=torch.float32)
    if chosen.count(0) > 1:
        # ModernBERT's first layer has no norm of its own; a repetition of it has a new one.
        state = {**other.state_dict(), **state}
    other.load_state_dict(state, strict=True)
    return other.train(model.training)


def spread(total: int, layers: int) -> list[int]:
    """`layers` indices out of `total`, evenly spaced from the first to the last; one is the first.

    6 of 12 are 0, 2, 4, 7, 9, 11: the layers DistilBERT took from BERT (Sanh et al., 2019, code).
    """
    if layers == 1:
        return [0]
    return [int(index * (total - 1) / (layers - 1) + 0.5) for index in range(layers)]


def weights_hash(model: PreTrainedModel) -> str:
    """SHA-256, in hexadecimal, of what makes the model's outputs: a key for caches.

    Over sorted names, shapes, types and bytes of parameters and buffers, and the configuration:
    albeto-base-4 and albeto-base-6 have the same weights and different outputs. The same before
    saving and after loading.
    """
    settings = model.config.to_dict()
    # What a library notes for itself, or changes on saving, without changing an output.
    for note in ("transformers_version", "_name_or_path", "dtype", "torch_dtype", "architectures"):
        settings.pop(note, None)
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True, default=str).encode())
    tensors = dict(model.named_parameters(remove_duplicate=False)) | dict(model.named_buffers())
    for name, tensor in sorted(tensors.items()):
        flat = tensor.detach().cpu().contiguous().reshape(-1)
        digest.update(f"\0{name}\0{tuple(tensor.shape)}\0{tensor.dtype}\0".encode())
        digest.update(flat.view(torch.uint8).numpy())
    return digest.hexdigest()


def _renumbered(
    state: Mapping[str, torch.Tensor], chosen: Sequence[int]
) -> dict[str, torch.Tensor]:
    """`state` with the chosen layers, by their new numbers, and all that belongs to no layer."""
    kept = {}
    for name, tensor in state.items():
        if (matched := _LAYER.fullmatch(name)) is None:
            kept[name] = tensor
            continue
        for new, old in enumerate(chosen):
            if old == int(matched[2]):
                kept[f"{matched[1]}{new}{matched[3]}"] = tensor
    return kept

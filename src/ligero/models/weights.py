"""What is done to weights whatever the model: draw them from a seed, cut layers, fingerprint."""

import contextlib
import copy
import hashlib
import json
import re
from collections.abc import Iterator, Mapping

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
    config = copy.deepcopy(model.config)
    total = config.num_hidden_layers
    if not 1 <= layers <= total:
        raise InputError(f"{layers} layers", expected=f"1 to {total}, what the model has")
    if layers == total:
        return model
    config.num_hidden_layers = layers
    state = model.state_dict()
    groups = getattr(config, "num_hidden_groups", None)
    if groups is None:
        chosen = spread(total, layers)
        if getattr(config, "layer_types", None):
            config.layer_types = [config.layer_types[index] for index in chosen]
        state = _renumbered(state, {old: new for new, old in enumerate(chosen)})
    elif groups != 1:
        # Which group a layer uses depends on the total, so a cut would change every layer.
        raise InputError(f"{groups} groups of tied layers", expected="1, to cut layers")
    with quiet(), drawn_from(0):
        smaller = type(model)._from_config(config, attn_implementation="sdpa", dtype=torch.float32)
    smaller.load_state_dict(state, strict=True)
    return smaller.train(model.training)


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
    state: Mapping[str, torch.Tensor], chosen: Mapping[int, int]
) -> dict[str, torch.Tensor]:
    """`state` with the chosen layers (old number -> new number) and all that belongs to no layer."""
    kept = {}
    for name, tensor in state.items():
        if (matched := _LAYER.fullmatch(name)) is None:
            kept[name] = tensor
        elif (old := int(matched[2])) in chosen:
            kept[f"{matched[1]}{chosen[old]}{matched[3]}"] = tensor
    return kept

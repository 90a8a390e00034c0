"""What can be measured: a model's name -> its shape, and a call that runs it at some length.

Finding a candidate reads a configuration at most; torch, transformers or an engine are imported
when it is opened.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ligero.errors import InputError
from ligero.measure import cost
from ligero.measure.latency import Call
from ligero.models import hub
from ligero.models.catalog import Architecture
from ligero.models.reference import Reference, resolve

if TYPE_CHECKING:
    from ligero.runtime.card import Card

ATTENTIONS = ("eager", "sdpa")
DEVICES = ("cpu", "cuda")
# What everything is compared with, and how: as the papers ran it.
REFERENCE, HOW = "beto-cased", "eager"
# Ids below are special tokens in some vocabulary or other.
_FIRST_WORD = 5

# (length, batch) -> a call that runs the model on so many texts of that length.
Opened = Callable[[int, int], Call]


@dataclass(frozen=True)
class Candidate:
    """A model that can be measured.

    name: as a person gave it. how: what runs it, and in which precision. shape: of its encoder.
    longest: longest input in sub-words. precision: of its weights. disk: bytes of its files; None
    where it has none. libraries: imports all that opening it needs. open: loads it, for a number of
    threads and a device.
    """

    name: str
    how: str
    shape: cost.Shape
    longest: int
    precision: str
    disk: int | None
    libraries: Callable[[], Any]
    open: Callable[[int, str], Opened]

    @property
    def label(self) -> str:
        """Name and way of running it: what tells it from all others."""
        return f"{self.name}, {self.how}"

    @property
    def bytes(self) -> int:
        """Of its files, or of its weights where there are none."""
        if self.disk is not None:
            return self.disk
        return cost.weight_bytes(cost.encoder_parameters(self.shape), self.precision)


def find(name: str, attentions: Sequence[str] = (HOW,), *, fetch: bool = False) -> list[Candidate]:
    """The candidates of a model, one for each way of attending that transformers has of it.

    name: an exported folder, or an exported model that comes with ligero, whose engine runs it in one
    way; or what `models.reference` resolves. A name of the catalog stands for its shape with random
    weights, on which speed does not depend.
    fetch: whether a repository of the hub is fetched where its shape is not known.

    Raises InputError for an unknown name, and for a folder that is no model.
    """
    from ligero.runtime import released
    from ligero.runtime.card import is_exported

    if released.is_name(name) or is_exported(Path(name)):
        return [_exported(name)]
    model = resolve(name)
    if model.architecture is None and fetch:
        # Damaged or foreign files are found here, before anything is measured.
        model = Reference(name, weights=str(hub.locate(str(model.weights))))
    return [_transformers(model, attention) for attention in attentions]


def reference() -> Candidate:
    """What all is compared with: BETO's shape in transformers, eager attention, fp32."""
    return find(REFERENCE, (HOW,))[0]


def device_name(device: str) -> str:
    """The device as its maker calls it, where it is a GPU."""
    if device == "cpu":
        return device
    import torch

    return str(torch.cuda.get_device_name())


def _transformers(model: Reference, attention: str) -> Candidate:
    known = model.architecture
    folder = Path(str(model.weights))
    shape = cost.shape_of(model)

    def libraries() -> Any:
        return _class(_config(known, folder))

    def opened(threads: int, device: str) -> Opened:
        return _open_transformers(known, folder, attention, threads, device)

    return Candidate(
        name=model.name.removesuffix(":random"),
        how=f"{attention} fp32",
        shape=shape,
        longest=known.max_length if known else _longest(folder),
        precision="fp32",
        disk=None if known else _weights(folder),
        libraries=libraries,
        open=opened,
    )


def _longest(folder: Path) -> int:
    found = hub.read_json(folder / hub.CONFIG) if folder.is_dir() else {}
    positions = int(found.get("max_position_embeddings", cost.LENGTH))
    # RoBERTa's positions begin after the padding id.
    first = int(found.get("pad_token_id") or 0) + 1 if found.get("model_type") == "roberta" else 0
    return positions - first


def _weights(folder: Path) -> int | None:
    return sum(file.stat().st_size for file in folder.glob("*.safetensors")) or None


def _config(known: Architecture | None, folder: Path) -> Any:
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING

    from ligero.models import build
    from ligero.models.weights import quiet

    if known is None:
        return build.read_configuration(folder)
    # RoBERTa's positions begin after the padding id, which is 1 where it was published.
    pad = 1 if known.family == "roberta" else 0
    settings = build.thaw(known.config)
    # Without a vocabulary there are no special tokens; the family's own may lie beyond its end.
    with quiet():
        return CONFIG_MAPPING[known.family](
            vocab_size=known.vocab_size, pad_token_id=pad, **settings
        )


def _class(config: Any) -> Any:
    from transformers import AutoModel

    return AutoModel._model_mapping[type(config)]


def _open_transformers(
    known: Architecture | None, folder: Path, attention: str, threads: int, device: str
) -> Opened:
    import torch

    from ligero.models import build
    from ligero.models.weights import drawn_from, quiet

    if device == "cuda" and not torch.cuda.is_available():
        raise InputError("--device cuda", expected="a GPU that torch sees; none is there")
    torch.set_num_threads(threads)
    config = _config(known, folder)
    if known is None:
        model, lacking = build.read_weights(_class(config), folder, config, 0)
        if whole := sorted(key for key in lacking if not key.startswith("pooler.")):
            raise InputError(f"no {whole[0]}", file=folder, expected="the whole encoder")
        model.set_attn_implementation(attention)
    else:
        with quiet(), drawn_from(0):
            model = _class(config)._from_config(
                config, attn_implementation=attention, dtype=torch.float32
            )
    model.eval().to(device)
    wait = torch.cuda.synchronize if device == "cuda" else lambda: None

    def at(length: int, batch: int) -> Call:
        ids = torch.from_numpy(_ids(length, batch, config.vocab_size)).to(device)
        given = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}

        def call() -> None:
            with torch.inference_mode():
                model(**given)
            # What a GPU was given to do is done when it says so, not when the call returns.
            wait()

        return call

    return at


def _exported(name: str) -> Candidate:
    from ligero.runtime import released
    from ligero.runtime.card import Card

    folder = released.locate(name)
    card = Card.read(folder)
    try:
        family, config = card.model["family"], card.model["config"]
        shape = cost.shape(family, config, int(config["vocab_size"]))
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"a model without its configuration ({error})", file=folder) from None

    def opened(threads: int, device: str) -> Opened:
        if device != "cpu":
            raise InputError(f"{name} on {device}", expected="cpu, on which exported models run")
        return _open_exported(folder, card, threads)

    def libraries() -> Any:
        from ligero.runtime import engine

        return __import__(engine.PACKAGES[card.format])

    return Candidate(
        name=name,
        how=f"{card.format} {card.precision}",
        shape=shape,
        longest=card.window,
        precision=card.precision,
        disk=sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()),
        libraries=libraries,
        open=opened,
    )


def _open_exported(folder: Path, card: "Card", threads: int) -> Opened:
    from ligero.runtime.engine import open_engine

    engine = open_engine(folder, threads=threads, card=card)

    def at(length: int, batch: int) -> Call:
        # As in use: a text is padded to the next length that the export was checked for.
        width = min((b for b in card.buckets if b >= length), default=length)
        ids = np.full((batch, width), card.pad_id, np.int64)
        ids[:, :length] = _ids(length, batch, engine.entries)
        mask = np.zeros_like(ids)
        mask[:, :length] = 1
        made = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        given = {key: made[key] for key in engine.inputs}
        return lambda: engine.run(given)

    return at


def _ids(length: int, batch: int, entries: int) -> NDArray[np.int64]:
    """Sub-words [batch, length], the same for every model whose vocabulary is as large."""
    return np.random.default_rng(0).integers(_FIRST_WORD, entries, (batch, length))

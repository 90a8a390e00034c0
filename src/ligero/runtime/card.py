"""What an exported folder says of itself: `export.json`, vouched for by the folder's manifest."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ligero.errors import DamagedError, InputError
from ligero.runs import MANIFEST, read_json, verify, write_json

CARD = "export.json"
TOKENIZER = "tokenizer.json"
# Weights of what is computed outside the graph: a parser's scores of pairs of words, a CRF's transitions.
HEAD = "head.safetensors"

FORMATS = ("openvino", "onnx")
PRECISIONS = ("fp32", "bf16", "int8")


@dataclass(frozen=True, kw_only=True)
class Card:
    """An exported model.

    name: what it was exported from. kind, labels, window: as a trained model has them, the window in
    sub-words. pad_id: of the vocabulary. entries: its size. inputs: what the graph takes, in order.
    format, precision, graph: how it is stored, computed, and in which file. buckets: lengths in
    sub-words for which it was checked; every input is padded to one of them. task: name, metric,
    split and file of the validation, percentiles of its lengths in sub-words. model: family,
    configuration and number of parameters. score: of the original and of the export
    on that split, and the export's interval. decoding: how tags are chosen (`config.FitConfig`).
    licence: the terms of the data that it learned from, as their publisher states them. bytes: of all
    files but the manifest.
    """

    name: str
    kind: str
    labels: tuple[str, ...]
    window: int
    pad_id: int
    entries: int
    inputs: tuple[str, ...]
    format: str
    precision: str
    graph: str
    buckets: tuple[int, ...]
    task: dict[str, Any] | None
    model: dict[str, Any]
    score: dict[str, Any] | None
    decoding: str = "independent"
    licence: str = ""
    bytes: int = 0

    @classmethod
    def read(cls, folder: Path) -> "Card":
        """The card of an exported folder whose files are all as they were written.

        Raises InputError where there is no export, DamagedError where a file was cut or altered.
        """
        if not (folder / CARD).is_file():
            raise InputError(
                "no exported model" if folder.is_dir() else "no such folder",
                file=folder, expected=f"a folder that ligero export made, with its {CARD}",
            )  # fmt: skip
        if not (folder / MANIFEST).is_file():
            raise DamagedError(f"{folder / MANIFEST}: missing; export it again")
        vouched = verify(folder)["files"]
        if CARD not in vouched:
            raise DamagedError(f"{folder / MANIFEST}: does not vouch for {CARD}; export it again")
        raw = read_json(folder / CARD)
        try:
            card = cls(
                **{
                    **raw,
                    **{name: tuple(raw[name]) for name in ("labels", "inputs", "buckets")},
                }
            )
        except (TypeError, KeyError) as error:
            raise DamagedError(
                f"{folder / CARD}: not a card of this version ({error}); export it again"
            ) from None
        # A file that the manifest does not know would be read unchecked.
        for name in (card.graph, TOKENIZER, *([HEAD] if card.decoding == "crf" else [])):
            if name not in vouched:
                raise DamagedError(f"{folder / MANIFEST}: does not vouch for {name}")
        return card

    def write(self, folder: Path) -> None:
        """Put it into a folder."""
        write_json(folder / CARD, asdict(self))


def is_exported(folder: Path) -> bool:
    """Whether a folder says it is an exported model."""
    return (folder / CARD).is_file()

"""Lengths in sub-words: how much of each file a model's window holds."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from ligero import vocab
from ligero.check.content import spread
from ligero.errors import InputError, LigeroError
from ligero.hub import bars, told
from ligero.models.reference import resolve
from ligero.tasks.example import Split

# What a vocabulary of this size makes of Spanish is near enough to BETO's or ALBETO's 31,000.
LEARNED = 8000
# The windows that are worth knowing of: the papers' for tagging, and the longest most models have.
WINDOWS = (128, 512)
_FILE = "tokenizer.json"


@dataclass(frozen=True)
class Tokens:
    """A tokenizer, and what a person should know of it."""

    tokenizer: Tokenizer
    about: str

    def lengths(self, split: Split) -> dict[str, Any]:
        """Sub-words of an example, all its texts and the special ones together: as
        `content.spread`, and how many examples pass each of WINDOWS ("over 128", "over 512")."""
        texts = list({text for e in split.examples for text in e.texts})
        encoded = self.tokenizer.encode_batch_fast(texts, add_special_tokens=False)
        size = {text: len(found) for text, found in zip(texts, encoded, strict=True)}
        special = {n: self.tokenizer.num_special_tokens_to_add(n == 2) for n in (1, 2)}
        sizes = [sum(size[t] for t in e.texts) + special[len(e.texts)] for e in split.examples]
        over = {f"over {most}": sum(size > most for size in sizes) for most in WINDOWS}
        return spread(sizes) | over


def tokens_of(model: str | None, first: Split) -> Tokens:
    """The tokenizer of `model`, or one learned from the texts of `first`.

    Raises InputError for an unknown model, or one without a tokenizer of its own; LigeroError when
    it is on the hub, which cannot be reached.
    """
    if model is None:
        texts = dict.fromkeys(text for e in first.examples for text in e.texts)
        tokenizer = vocab.train(texts, algorithm="bpe", size=LEARNED)
        size = tokenizer.get_vocab_size()
        return Tokens(tokenizer, f"{size:,} sub-words learned from {Path(first.file).name}")
    reference = resolve(model)
    if reference.weights is None:
        raise InputError(
            f"the model {model}, which has no vocabulary before it is trained",
            expected="a model with one, or no --model",
        )
    folder = Path(reference.weights)
    file = folder / _FILE if folder.is_dir() else _from_hub(reference.weights)
    if not file.is_file():
        raise InputError(f"no {_FILE}", file=folder, expected="a model with its tokenizer")
    try:
        tokenizer = Tokenizer.from_file(str(file))
    except Exception as error:  # the library raises nothing more exact
        raise InputError(f"no valid tokenizer ({error})", file=file) from None
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return Tokens(tokenizer, f"the tokenizer of {model}, {tokenizer.get_vocab_size():,} sub-words")


def _from_hub(name: str) -> Path:
    """A hub model's tokenizer file, in the hub's cache."""
    try:
        from huggingface_hub import hf_hub_download
        from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError
    except ImportError:
        raise LigeroError(
            f"{name}: huggingface_hub is not installed; install it with: pip install 'ligero[train]'"
        ) from None
    repository, _, revision = name.partition("@")
    with told(repository, revision or None, named=name, what="model", missing="no folder"), bars():
        try:
            return Path(hf_hub_download(repository, _FILE, revision=revision or None))
        except LocalEntryNotFoundError:
            raise
        except EntryNotFoundError:
            raise InputError(
                f"{name}: found no {_FILE}; expected a model with its tokenizer"
            ) from None

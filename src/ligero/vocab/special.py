"""Special tokens: what BERT, ALBERT and RoBERTa call them, and how they frame a text."""

from dataclasses import dataclass

from tokenizers import Tokenizer
from tokenizers.processors import TemplateProcessing

from ligero import errors

# Role -> token, in the order of their ids from 0 on, as the papers' own vocabularies have them.
NAMINGS = {
    "bert": {"pad": "[PAD]", "unk": "[UNK]", "cls": "[CLS]", "sep": "[SEP]", "mask": "[MASK]"},
    "albert": {"pad": "<pad>", "unk": "<unk>", "cls": "[CLS]", "sep": "[SEP]", "mask": "[MASK]"},
    "roberta": {"cls": "<s>", "pad": "<pad>", "sep": "</s>", "unk": "<unk>", "mask": "<mask>"},
}
"""Naming -> role -> token."""

SPECIAL_TOKENS = tuple(NAMINGS["bert"].values())
"""Special tokens of a vocabulary trained here, with ids 0 to 4, where no other naming is chosen."""


@dataclass(frozen=True)
class Family:
    """What a model type of transformers expects of its vocabulary: a naming, and whether it reads
    token_type_ids (which of two texts a sub-word is of) or rejects them."""

    naming: str
    token_types: bool


FAMILIES = {
    "bert": Family("bert", True),
    "albert": Family("albert", True),
    "distilbert": Family("bert", False),
    "modernbert": Family("bert", False),
    "roberta": Family("roberta", False),
}
"""transformers' model type -> what it expects; those of the catalog."""


def template(naming: str) -> TemplateProcessing:
    """How a text and a pair are framed: [CLS] a [SEP] b [SEP] with types 0/1; RoBERTa's way
    <s> a </s></s> b </s>, all of type 0, since it has no other."""
    tokens = NAMINGS[naming]
    cls, sep = tokens["cls"], tokens["sep"]
    second = f"{sep}:0 $B:0 {sep}:0" if naming == "roberta" else f"$B:1 {sep}:1"
    order = list(tokens.values())
    return TemplateProcessing(
        single=f"{cls}:0 $A:0 {sep}:0",
        pair=f"{cls}:0 $A:0 {sep}:0 {second}",
        special_tokens=[(token, order.index(token)) for token in (cls, sep)],
    )


def special_tokens(tokenizer: Tokenizer) -> dict[str, str]:
    """Role ("pad", "unk", "cls", "sep", "mask") -> token, of BERT's, ALBERT's or RoBERTa's naming.

    Raises InputError when padding, classification or separator is missing; a vocabulary without
    unknown (byte-level) or mask token has no such entry.
    """
    found = {
        role: token
        for role in NAMINGS["bert"]
        # The last wins where several are there; ALBERT's naming is made of the two.
        for token in (NAMINGS["roberta"][role], NAMINGS["bert"][role])
        if tokenizer.token_to_id(token) is not None
    }
    lacking = [role for role in ("pad", "cls", "sep") if role not in found]
    if lacking:
        raise errors.InputError(
            f"a vocabulary without a token for {', '.join(lacking)}",
            expected="[PAD] [CLS] [SEP] or <pad> <s> </s>",
        )
    return found


def special_ids(tokenizer: Tokenizer) -> dict[str, int]:
    """`pad_id`, `cls_id` and `sep_id` of a vocabulary; InputError as `special_tokens` raises it."""
    tokens, entries = special_tokens(tokenizer), tokenizer.get_vocab()
    return {f"{role}_id": entries[tokens[role]] for role in ("pad", "cls", "sep")}

"""Sub-word vocabularies: train one from Spanish text, save it as a tokenizer transformers reads.

The same text gives the same bytes, in any process. The library's BPE trainer does; its WordPiece
trainer numbers the `##` letters in the order of a hash map, and its Unigram trainer sums and orders
by one too (measured with tokenizers 0.23: three processes, three vocabularies, even on one thread).
So WordPiece gets its letters in advance, and Unigram is estimated here over BPE's pieces.
"""

import json
import math
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from tokenizers.processors import TemplateProcessing

from ligero import errors

SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
"""Special tokens of a vocabulary trained here, with ids 0 to 4."""

ALGORITHMS = ("unigram", "bpe", "wordpiece")

# BETO uncased lacks "%", "/" and ";": every letter and sign that Spanish text is sure to hold goes
# in whether or not the training text has it.
ALPHABET = (
    "abcdefghijklmnopqrstuvwxyzáéíóúüñçàèòïABCDEFGHIJKLMNOPQRSTUVWXYZÁÉÍÓÚÜÑÇÀÈÒÏ0123456789"
    "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~¿¡«»“”‘’–—…·•ºª°€£§©®±×²³½"
)
"""Characters that are never [UNK], whatever the training text."""

_SPACE = "▁"  # SentencePiece's mark for the start of a word
_CONTINUES = "##"
_LONGEST_PIECE = 16
_LONGEST_WORD = 32  # for Unigram's estimates; 1e-7 ** 32 is still far from underflow
_ESTIMATED_WORDS = 60_000  # most frequent distinct words Unigram is estimated on: about 10 s
_BERT = {"pad": "[PAD]", "unk": "[UNK]", "cls": "[CLS]", "sep": "[SEP]", "mask": "[MASK]"}
_ROBERTA = {"pad": "<pad>", "unk": "<unk>", "cls": "<s>", "sep": "</s>", "mask": "<mask>"}


def train(
    texts: Iterable[str], *, algorithm: str = "unigram", size: int = 8000, lowercase: bool = False
) -> Tokenizer:
    """A tokenizer of about `size` entries, learned from `texts` (read once, never held whole).

    Text is NFC-normalised (accents and ñ stay), zero-width and control characters are dropped and
    every white space separates; a sub-word never spans a space, a sign, or a border between digits
    and letters. A text is encoded as [CLS] a [SEP], a pair as [CLS] a [SEP] b [SEP] with types 0/1.

    algorithm: "unigram" (Kudo, 2018; estimated as `_unigram` says), "bpe" or "wordpiece".
    size: entries wanted, special tokens included. Short text gives fewer; ALPHABET always goes in,
        so the least is about 170.
    lowercase: fold case, accents kept.

    Raises InputError for an unknown algorithm, a size below 1, or text without any word.
    """
    if algorithm not in ALGORITHMS:
        raise errors.unknown("vocabulary algorithm", algorithm, ALGORITHMS)
    if size < 1:
        raise errors.InputError(f"a vocabulary size of {size}", expected="at least 1")
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = _normalizer(lowercase)
    tokenizer.pre_tokenizer = _pre_tokenizer(marks_words=algorithm != "wordpiece")
    words = _count(texts, tokenizer)
    if not words:
        raise errors.InputError("no words to learn a vocabulary from", expected="Spanish text")
    letters = sorted(set(ALPHABET.lower() if lowercase else ALPHABET))
    learn = {"bpe": _bpe, "unigram": _unigram, "wordpiece": _wordpiece}[algorithm]
    tokenizer.model = learn(words, letters, size)
    tokenizer.add_special_tokens(list(SPECIAL_TOKENS))
    tokenizer.decoder = (
        decoders.WordPiece(prefix=_CONTINUES, cleanup=False)
        if algorithm == "wordpiece"
        else decoders.Metaspace(replacement=_SPACE, prepend_scheme="always", split=False)
    )
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0",
        pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1",
        special_tokens=[(token, SPECIAL_TOKENS.index(token)) for token in ("[CLS]", "[SEP]")],
    )
    return tokenizer


def save(
    tokenizer: Tokenizer, folder: str | Path, *, max_length: int, token_types: bool = True
) -> None:
    """Writes `tokenizer.json` and `tokenizer_config.json`, so that transformers' AutoTokenizer on
    `folder` (created when missing) gives the same ids.

    max_length: longest window in sub-words, special tokens included.
    token_types: whether the model reads token_type_ids (BERT, ALBERT) or rejects them.

    Raises InputError when the tokenizer has no padding, classification or separator token.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    plain = Tokenizer.from_str(tokenizer.to_str())
    # A window baked into the file would cut text silently in whoever loads it.
    plain.no_truncation()
    plain.no_padding()
    inputs = ["input_ids", *(["token_type_ids"] if token_types else []), "attention_mask"]
    settings = {
        # The generic class reads tokenizer.json as it stands. By the model's type transformers
        # would pick AlbertTokenizer for ALBERT, which rebuilds it and drops accents.
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": max_length,
        "model_input_names": inputs,
        "padding_side": "right",
        "clean_up_tokenization_spaces": False,
    } | {f"{role}_token": token for role, token in special_tokens(tokenizer).items()}
    text = json.dumps(settings, ensure_ascii=False, indent=2, sort_keys=True) + "\n"
    (folder / "tokenizer.json").write_text(plain.to_str(pretty=True), encoding="utf-8")
    (folder / "tokenizer_config.json").write_text(text, encoding="utf-8")


def special_tokens(tokenizer: Tokenizer) -> dict[str, str]:
    """Role ("pad", "unk", "cls", "sep", "mask") -> token, of BERT's, ALBERT's or RoBERTa's naming.

    Raises InputError when padding, classification or separator is missing; a vocabulary without
    unknown (byte-level) or mask token has no such entry.
    """
    found = {
        role: token
        for role in _BERT
        for token in (_ROBERTA[role], _BERT[role])  # the latter wins when both are there
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


def _normalizer(lowercase: bool) -> normalizers.Normalizer:
    """NFC, not NFKC: "1º", "m²", "…" and "½" stay what their author wrote."""
    # Zero-width spaces, joiners and direction marks, soft hyphens, byte-order marks; then controls
    # other than white space. They are invisible, and would split or hide words.
    invisible = r"[\u00AD\u200B-\u200F\u202A-\u202E\u2060-\u2064\uFEFF]"
    control = r"[\u0000-\u0008\u000E-\u001F\u007F-\u0084\u0086-\u009F]"
    steps: list[normalizers.Normalizer] = [
        normalizers.Replace(Regex(invisible), ""),
        normalizers.Replace(Regex(control), ""),
        # The no-break spaces of "20 %" and "10 000", and their like, separate as any space does.
        normalizers.Replace(Regex(r"[\u00A0\u2000-\u200A\u202F\u205F\u3000]"), " "),
        normalizers.NFC(),
    ]
    return normalizers.Sequence([*steps, *([normalizers.Lowercase()] if lowercase else [])])


def _pre_tokenizer(*, marks_words: bool) -> pre_tokenizers.PreTokenizer:
    steps: list[pre_tokenizers.PreTokenizer] = [
        pre_tokenizers.WhitespaceSplit(),
        pre_tokenizers.Split(Regex(r"[\p{P}\p{S}]"), "isolated"),
        pre_tokenizers.Digits(individual_digits=False),
    ]
    if marks_words:
        # After the splits, so that "¿Qué" and "Qué" share the entry "▁Qué".
        steps.append(pre_tokenizers.Metaspace(_SPACE, prepend_scheme="always", split=False))
    return pre_tokenizers.Sequence(steps)


def _count(texts: Iterable[str], tokenizer: Tokenizer) -> Counter[str]:
    words: Counter[str] = Counter()
    for text in texts:
        normal = tokenizer.normalizer.normalize_str(text)
        words.update(word for word, _ in tokenizer.pre_tokenizer.pre_tokenize_str(normal))
    return words


def _letters(words: Counter[str], required: Iterable[str], size: int) -> list[str]:
    """`required`, and the text's own letters from the most frequent on, until a quarter of the
    vocabulary: a page of Chinese in the text must not fill it with single letters."""
    seen: Counter[str] = Counter()
    for word, count in words.items():
        for letter in word:
            seen[letter] += count
    kept = dict.fromkeys(required)
    for letter, _ in sorted(seen.items(), key=lambda item: (-item[1], item[0])):
        if letter == _SPACE or len(kept) < size // 4:
            kept[letter] = None
    return sorted(kept)


def _learn(words: Counter[str], trainer: trainers.Trainer, model: models.Model) -> Tokenizer:
    """Runs one of the library's trainers over words already split."""
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    lines = (
        " ".join([word] * min(1000, count - start))
        for word, count in sorted(words.items())
        for start in range(0, count, 1000)
    )
    tokenizer.train_from_iterator(lines, trainer)
    return tokenizer


def _within(words: Counter[str], letters: list[str]) -> Counter[str]:
    """The words written in `letters` only. The trainers' own limit breaks ties by hash order."""
    known = set(letters)
    return Counter({word: count for word, count in words.items() if known.issuperset(word)})


def _bpe(words: Counter[str], required: list[str], size: int) -> models.Model:
    letters = _letters(words, required, size)
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        min_frequency=2,  # a piece seen once is a word learned by heart
        special_tokens=list(SPECIAL_TOKENS),
        initial_alphabet=letters,
        show_progress=False,
    )
    return _learn(_within(words, letters), trainer, models.BPE(unk_token="[UNK]")).model


def _wordpiece(words: Counter[str], required: list[str], size: int) -> models.Model:
    letters = _letters(words, required, size)
    # Signs stand alone after pre-tokenisation, so they never continue a word.
    inside = [_CONTINUES + c for c in letters if unicodedata.category(c)[0] not in "PS"]
    trainer = trainers.WordPieceTrainer(
        vocab_size=size,
        min_frequency=2,
        # Given as special, the letters are numbered in this order; they are plain entries after.
        special_tokens=[*SPECIAL_TOKENS, *inside],
        initial_alphabet=letters,
        continuing_subword_prefix=_CONTINUES,
        show_progress=False,
    )
    unknown = {"unk_token": "[UNK]", "continuing_subword_prefix": _CONTINUES}
    learned = _learn(_within(words, letters), trainer, models.WordPiece(**unknown))
    return models.WordPiece(learned.get_vocab(), max_input_chars_per_word=100, **unknown)


def _unigram(words: Counter[str], required: list[str], size: int) -> models.Model:
    """Unigram (Kudo, 2018, arXiv:1804.10959, section 3.2), estimated in a fixed order of sums.

    Two simplifications: the seed is BPE's pieces for twice the size, where Kudo takes frequent
    substrings; and pieces are dropped by expected count, where Kudo takes the loss in likelihood.
    Estimated on the most frequent distinct words, at most _ESTIMATED_WORDS.
    """
    letters = _letters(words, required, size)
    known = _within(words, letters)
    trainer = trainers.BpeTrainer(
        vocab_size=2 * size,
        min_frequency=2,
        initial_alphabet=letters,
        max_token_length=_LONGEST_PIECE,
        show_progress=False,
    )
    pieces = sorted(_learn(known, trainer, models.BPE()).get_vocab())
    sample = [item for item in known.items() if len(item[0]) <= _LONGEST_WORD]
    sample = sorted(sample, key=lambda item: (-item[1], item[0]))[:_ESTIMATED_WORDS]
    weights = _normalised(_occurrences(sample, frozenset(pieces)), pieces)
    room = max(size - len(SPECIAL_TOKENS), len(letters))
    # Half-way in two steps: what a dropped piece held goes to its parts before the next choice.
    for keep in (max(room, int(math.sqrt(len(pieces) * room))), room):
        for _ in range(2):
            weights = _normalised(_expected(sample, weights), weights)
        longer = sorted((p for p in weights if len(p) > 1), key=lambda p: (-weights[p], p))
        single = [p for p in weights if len(p) == 1]
        weights = {p: weights[p] for p in [*single, *longer[: max(0, keep - len(single))]]}
    for _ in range(2):
        weights = _normalised(_expected(sample, weights), weights)
    # Six decimals: libraries of mathematics differ in the last bit.
    scores = {piece: round(math.log(weight), 6) for piece, weight in weights.items()}
    entries = sorted(scores.items(), key=lambda item: (-item[1], item[0]))
    special = [(token, 0.0) for token in SPECIAL_TOKENS]
    return models.Unigram([*special, *entries], unk_id=SPECIAL_TOKENS.index("[UNK]"))


def _normalised(counts: Mapping[str, float], pieces: Iterable[str]) -> dict[str, float]:
    """Counts -> probabilities; a piece hardly ever used keeps a tenth of an occurrence."""
    floored = {piece: max(counts.get(piece, 0.0), 0.1) for piece in pieces}
    total = math.fsum(floored.values())
    return {piece: count / total for piece, count in floored.items()}


def _occurrences(words: list[tuple[str, int]], pieces: frozenset[str]) -> dict[str, float]:
    """How often each piece stands anywhere in the words, overlaps included."""
    counts: dict[str, float] = {}
    for word, count in words:
        for end in range(1, len(word) + 1):
            for start in range(max(0, end - _LONGEST_PIECE), end):
                piece = word[start:end]
                if piece in pieces:
                    counts[piece] = counts.get(piece, 0.0) + count
    return counts


def _expected(words: list[tuple[str, int]], weights: Mapping[str, float]) -> dict[str, float]:
    """Expected count of each piece over all segmentations of the words (forward-backward)."""
    counts: dict[str, float] = {}
    for word, count in words:
        length = len(word)
        forward, backward = [1.0] + [0.0] * length, [0.0] * length + [1.0]
        edges = []
        for end in range(1, length + 1):
            for start in range(max(0, end - _LONGEST_PIECE), end):
                piece = word[start:end]
                weight = weights.get(piece)
                if weight is not None:
                    forward[end] += forward[start] * weight
                    edges.append((start, end, piece, weight))
        for start, end, _, weight in reversed(edges):
            backward[start] += weight * backward[end]
        scale = count / forward[length]
        for start, end, piece, weight in edges:
            share = forward[start] * weight * backward[end] * scale
            counts[piece] = counts.get(piece, 0.0) + share
    return counts

"""How a vocabulary is learned from the counts of words: BPE, WordPiece, Unigram.

The same counts give the same bytes, in any process. The library's BPE trainer does; its WordPiece
trainer numbers the `##` letters in the order of a hash map, and its Unigram trainer sums and orders
by one too (measured with tokenizers 0.23: three processes, three vocabularies, even on one thread).
So WordPiece gets its letters in advance, and Unigram is estimated here over BPE's pieces.
"""

import math
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from ligero.vocab.count import SPACE

# BETO uncased lacks "%", "/" and ";": every letter and sign that Spanish text is sure to hold goes
# in whether or not the training text has it.
ALPHABET = (
    "abcdefghijklmnopqrstuvwxyzáéíóúüñçàèòïABCDEFGHIJKLMNOPQRSTUVWXYZÁÉÍÓÚÜÑÇÀÈÒÏ0123456789"
    "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~¿¡«»“”‘’–—…·•ºª°€£§©®±×²³½"
)
"""Characters that are never [UNK], whatever the training text."""

CONTINUES = "##"
"""WordPiece's mark of what does not begin a word."""

_LONGEST_PIECE = 16
_LONGEST_WORD = 32  # for Unigram's estimates; 1e-7 ** 32 is still far from underflow
_ESTIMATED_WORDS = 60_000  # most frequent distinct words Unigram is estimated on: about 6 s
_TOLD = 1000  # of one word in a line for the library's trainers


def _letters(words: Counter[str], required: Iterable[str], size: int) -> list[str]:
    """`required`, and the text's own letters from the most frequent on, until a quarter of the
    vocabulary: a page of Chinese in the text must not fill it with single letters."""
    seen: Counter[str] = Counter()
    for word, count in words.items():
        for letter in word:
            seen[letter] += count
    kept = dict.fromkeys(required)
    for letter, _ in sorted(seen.items(), key=lambda item: (-item[1], item[0])):
        if letter == SPACE or len(kept) < size // 4:
            kept[letter] = None
    return sorted(kept)


def _learn(words: Counter[str], trainer: trainers.Trainer, model: models.Model) -> Tokenizer:
    """Runs one of the library's trainers over words already split."""
    tokenizer = Tokenizer(model)
    # The trainers count for themselves, so each word is told as often as it is there: most of the
    # time that a vocabulary takes.
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    lines = (
        " ".join([word] * min(_TOLD, count - start))
        for word, count in sorted(words.items())
        for start in range(0, count, _TOLD)
    )
    tokenizer.train_from_iterator(lines, trainer)
    return tokenizer


def _within(words: Counter[str], letters: list[str]) -> Counter[str]:
    """The words written in `letters` only. The trainers' own limit breaks ties by hash order."""
    known = set(letters)
    return Counter({word: count for word, count in words.items() if known.issuperset(word)})


def bpe(
    words: Counter[str], required: Sequence[str], size: int, special: Sequence[str], unknown: str
) -> models.Model:
    """Byte-pair encoding (Sennrich et al., 2016): the library's, of pieces seen twice or more."""
    letters = _letters(words, required, size)
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        min_frequency=2,  # a piece seen once is a word learned by heart
        special_tokens=list(special),
        initial_alphabet=letters,
        show_progress=False,
    )
    return _learn(_within(words, letters), trainer, models.BPE(unk_token=unknown)).model


def wordpiece(
    words: Counter[str], required: Sequence[str], size: int, special: Sequence[str], unknown: str
) -> models.Model:
    """BERT's WordPiece, as the library learns it: BPE's pieces, the longest taken first."""
    letters = _letters(words, required, size)
    trainer = trainers.WordPieceTrainer(
        vocab_size=size,
        min_frequency=2,
        # Given as special, the letters are numbered in this order; they are plain entries after.
        special_tokens=[*special, *inside(letters)],
        initial_alphabet=letters,
        continuing_subword_prefix=CONTINUES,
        show_progress=False,
    )
    marks = {"unk_token": unknown, "continuing_subword_prefix": CONTINUES}
    learned = _learn(_within(words, letters), trainer, models.WordPiece(**marks))
    return models.WordPiece(learned.get_vocab(), max_input_chars_per_word=100, **marks)


def inside(letters: Iterable[str]) -> list[str]:
    """WordPiece's entries for letters that continue a word. Signs stand alone, so they never do."""
    return [CONTINUES + c for c in letters if unicodedata.category(c)[0] not in "PS"]


def unigram(
    words: Counter[str], required: Sequence[str], size: int, special: Sequence[str], unknown: str
) -> models.Model:
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
    room = max(size - len(special), len(letters))
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
    first = [(token, 0.0) for token in special]
    return models.Unigram([*first, *entries], unk_id=special.index(unknown))


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

"""What a word is to a vocabulary: text normalised, split, and counted.

White space separates whatever the rest does, so each distinct run without any is normalised and
split once: ten times as fast as text by text, with the same counts.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from tokenizers import Regex, normalizers, pre_tokenizers

SPACE = "▁"
"""SentencePiece's mark for the start of a word."""

# Distinct runs held before they are split: their memory must not follow the text.
_HELD = 1_000_000

# Zero-width spaces, joiners and direction marks, soft hyphens, byte-order marks; then controls
# other than white space. They are invisible, and would split or hide words.
_INVISIBLE = r"[\u00AD\u200B-\u200F\u202A-\u202E\u2060-\u2064\uFEFF]"
_CONTROL = r"[\u0000-\u0008\u000E-\u001F\u007F-\u0084\u0086-\u009F]"
# The controls among them that `str.split` takes for white space.
_NO_SPACE = re.compile("[\x1c-\x1f]")

# Characters that no step changes (but for case), each of one kind in every edition of Unicode: runs
# of these alone are split here, and the library need not be asked. All others are its business.
_LETTERS = "A-Za-zÀ-ÖØ-öø-ÿ"
_SIGNS = r"!-/:-@\[-`{-~¿¡«»“”‘’–—…€°·•"
_PLAIN = re.compile(f"[{_LETTERS}0-9{_SIGNS}]+")
_PARTS = re.compile(f"[{_LETTERS}]+|[0-9]+|[{_SIGNS}]")


class Words:
    """How text becomes words.

    lowercase: whether case is folded; accents stay. marks: whether each word begins with SPACE.
    """

    def __init__(self, *, lowercase: bool, marks: bool) -> None:
        self.lowercase = lowercase
        self.mark = SPACE if marks else ""
        self.normalizer = _normalizer(lowercase)
        self.pre_tokenizer = _pre_tokenizer(marks)

    def count(self, texts: Iterable[str]) -> Counter[str]:
        """How often each word stands in `texts`, which are read once and never held whole."""
        words: Counter[str] = Counter()
        runs: Counter[str] = Counter()
        for text in texts:
            runs.update(_NO_SPACE.sub("", text).split())
            if len(runs) > _HELD:
                self._add(runs, words)
                runs.clear()
        self._add(runs, words)
        return words

    def split(self, run: str) -> Iterator[str]:
        """The words of a text without white space."""
        if _PLAIN.fullmatch(run):
            for part in _PARTS.findall(run.lower() if self.lowercase else run):
                yield self.mark + part
        else:
            normal = self.normalizer.normalize_str(run)
            for word, _ in self.pre_tokenizer.pre_tokenize_str(normal):
                yield word

    def _add(self, runs: Counter[str], words: Counter[str]) -> None:
        for run, count in runs.items():
            for word in self.split(run):
                words[word] += count


def _normalizer(lowercase: bool) -> normalizers.Normalizer:
    """NFC, not NFKC: "1º", "m²", "…" and "½" stay what their author wrote."""
    steps: list[normalizers.Normalizer] = [
        normalizers.Replace(Regex(_INVISIBLE), ""),
        normalizers.Replace(Regex(_CONTROL), ""),
        # The no-break spaces of "20 %" and "10 000", and their like, separate as any space does.
        normalizers.Replace(Regex(r"[\u00A0\u2000-\u200A\u202F\u205F\u3000]"), " "),
        normalizers.NFC(),
    ]
    return normalizers.Sequence([*steps, *([normalizers.Lowercase()] if lowercase else [])])


def _pre_tokenizer(marks: bool) -> pre_tokenizers.PreTokenizer:
    steps: list[pre_tokenizers.PreTokenizer] = [
        pre_tokenizers.WhitespaceSplit(),
        pre_tokenizers.Split(Regex(r"[\p{P}\p{S}]"), "isolated"),
        pre_tokenizers.Digits(individual_digits=False),
    ]
    if marks:
        # After the splits, so that "¿Qué" and "Qué" share the entry "▁Qué".
        steps.append(pre_tokenizers.Metaspace(SPACE, prepend_scheme="always", split=False))
    return pre_tokenizers.Sequence(steps)

"""Raw text as examples without labels: passages about as long as a task's own texts.

Where a kind of task reads two texts they are made of one passage: of neighbouring sentences for what
compares texts, and of a question in which a name or a number is asked for (a cloze with a question
word in its place: Lewis et al. 2019, Unsupervised Question Answering by Cloze Translation) for what
answers.
"""

import itertools
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from statistics import median

from ligero.tasks.example import Example
from ligero.tasks.kinds.kind import Kind

# Where a sentence ends: not after capitals ("EE. UU.", "J. R. Jiménez") and not before a small letter.
# Text that was cut into words has the mark apart.
SENTENCE_END = re.compile(
    r"(?<=[a-záéíóúüñ0-9%)\]\"»”'*\s][.!?…])\s+(?=[A-ZÁÉÍÓÚÜÑ¿¡\"«“—(\[*0-9])"
)
_UNSPOKEN = re.compile(r"[\W_]+")
# A sentence of so many times a task's usual length is a list or a law, and no sentence of fewer words
# says much.
LONGEST, FEWEST_WORDS = 4, 4

Pairs = Callable[[Sequence[str]], Iterator[tuple[str, str]]]


def sentences(document: str) -> list[str]:
    """The sentences of a document, a line never sharing one with the next."""
    lines = (line.strip() for line in document.splitlines())
    return [part for line in lines for part in SENTENCE_END.split(line) if part]


def said(text: str) -> set[str]:
    """The sentences of a text, each as its small letters and digits alone: by these it is known again,
    however it is spaced and marked."""
    return {
        _UNSPOKEN.sub("", unicodedata.normalize("NFKD", sentence.casefold()))
        for sentence in sentences(text)
    }


def passages(
    document: str, typical: int, known: AbstractSet[str] = frozenset()
) -> Iterator[list[str]]:
    """Neighbouring sentences, as many as fit into `typical` characters, at least one.

    known: sentences that are left out, as `said` has them.
    """
    passage: list[str] = []
    for sentence in sentences(document):
        if len(sentence) > LONGEST * typical or len(sentence.split()) < FEWEST_WORDS:
            continue
        if said(sentence) <= known:
            continue
        if passage and sum(len(s) + 1 for s in passage) + len(sentence) > typical:
            yield passage
            passage = []
        passage.append(sentence)
    if passage:
        yield passage


def examples(
    documents: Iterable[str],
    kind: Kind,
    like: Sequence[Example],
    known: AbstractSet[str] = frozenset(),
) -> Iterator[Example]:
    """Examples without labels. like: a task's own, of whose form and usual length they are. known: as
    `passages` has it."""
    typical = int(median(len(e.texts[-1]) for e in like))
    paired = len(like[0].texts) == 2
    for document in documents:
        for passage in passages(document, typical, known):
            if not paired:
                yield kind.read(" ".join(passage))
                continue
            for first, second in PAIRS[kind.name](passage):
                yield kind.read(first, second)


def neighbours(passage: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Each sentence and the one after it; of a single sentence its halves at the middle comma."""
    if len(passage) > 1:
        yield from itertools.pairwise(passage)
        return
    commas = [m.start() for m in re.finditer(", ", passage[0])]
    if commas:
        middle = min(commas, key=lambda at: abs(at - len(passage[0]) / 2))
        yield passage[0][:middle], passage[0][middle + 2 :]


_CAPITAL = r"[A-ZÁÉÍÓÚÑ][\wáéíóúüñ]+"
_NAME = re.compile(rf"{_CAPITAL}(?: (?:(?:de|del|de la|y) )?{_CAPITAL})*")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*(?: (?:por ciento|años|días|meses|millones|kilómetros))?")
_YEAR = re.compile(r"1\d{3}|20\d\d")


def questions(passage: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Of each sentence with a name or a number in it one question, and the passage as its context."""
    context = " ".join(passage)
    for sentence in passage:
        spans = [m.span() for m in (*_NAME.finditer(sentence), *_NUMBER.finditer(sentence))]
        # What begins a sentence is written with a capital whatever it is.
        inside = sorted(span for span in spans if span[0] > 0)
        if inside:
            # The one in the middle: neither always the subject nor always the last word.
            yield _asked(sentence, *inside[len(inside) // 2]), context


def _asked(sentence: str, start: int, end: int) -> str:
    """A sentence as a question for one of its spans, "¿Nació en qué año en Córdoba?"."""
    before, span = sentence[:start].rstrip(), sentence[start:end]
    last = before.rsplit(" ", 1)[-1].lower()
    if _YEAR.fullmatch(span):
        word = "qué año"
    elif span[0].isdigit():
        after = (sentence[end:].split() or [""])[0]
        word = "cuántas" if after.endswith("as") else "cuántos" if after.endswith("s") else "cuánto"
    elif last == "en":
        word = "qué lugar"
    else:
        word = "quién" if last in ("a", "con", "por", "de") else "qué"
    asked = " ".join(f"{before} {word}{sentence[end:]}".split())
    return f"¿{asked.strip(' .…!?¿¡;:,')}?"


PAIRS: dict[str, Pairs] = {"classify": neighbours, "answer": questions}

"""Questions with their contexts and answers, whatever layout held them -> examples."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ligero.errors import excerpt
from ligero.tasks import words
from ligero.tasks.example import Change, Example, Split
from ligero.tasks.formats.text import Shared, Text

EMPTY = "an empty answer"
MOVED = "an answer found elsewhere in its context"
ABSENT = "an answer not in its context"
AMBIGUOUS = "an answer found several times, none at its place"
WORDLESS = "an answer without a word"
NONE_LEFT = "no answer left"
AGAIN = "the same question again"


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer as a file gives it: its text, the character of the context at which it begins."""

    text: str
    start: int
    line: int


class Questions:
    """Collects questions as examples of the kind "answer", mending and dropping their answers.

    Dropped answers: empty ones (no text, or start -1), ones that the context does not hold, or
    holds several times but not at their place, ones that share no word with it. Repaired: those
    which the context holds once, elsewhere. A question that loses all its answers is dropped; one
    that never had any is a question without an answer.
    """

    def __init__(self, text: Text) -> None:
        self.text = text
        self.examples: list[Example] = []
        self.changes: list[Change] = []
        self._shared = Shared()
        self._seen: dict[str, Example] = {}
        # A context is kept once, with its words, however many questions are about it.
        self._contexts: dict[str, tuple[str, tuple[tuple[int, int], ...]]] = {}

    def add(
        self, id: str, line: int, question: str, context: str, answers: Sequence[Answer] | None
    ) -> None:
        """Take a question in. `answers`: none if the context holds none; None if unlabelled.

        Raises InputError: a question or context without a word, an id used for two questions.
        """
        context, spans = self._context(line, context)
        if not question.strip():
            raise self.text.error(line, f"an empty question (id {excerpt(id)})", "a question")
        found = None
        if answers is not None:
            found = tuple(dict.fromkeys(self._found(id, context, spans, answers)))
        example = Example(id, (question, context), spans, line=line, answers=found)
        if answers and not found:
            self._change(line, id, NONE_LEFT)
        elif self._is_new(example):
            self.examples.append(example)

    def split(self, format: str) -> Split:
        """All that was taken in; InputError if that is nothing."""
        if not self.examples:
            lost = sum(change.reason == NONE_LEFT for change in self.changes)
            found = f"no question left of {lost} with answers" if lost else "no question"
            raise self.text.error(1, found, "at least one question")
        contexts = len({id(example.texts[1]) for example in self.examples})
        note = (
            f"read as {format}, {len(self.examples):,} questions about {contexts:,} contexts, "
            "for the kind answer"
        )
        examples, changes = tuple(self.examples), tuple(self.changes)
        return Split("answer", examples, self.text.file, (*self.text.notes, note), changes)

    def _context(self, line: int, context: str) -> tuple[str, tuple[tuple[int, int], ...]]:
        if context not in self._contexts:
            self._contexts[context] = context, self._shared.all(words.split_fine(context))
        if not self._contexts[context][1]:
            raise self.text.error(line, f"a context without a word ({excerpt(context)})", "a text")
        return self._contexts[context]

    def _found(
        self,
        id: str,
        context: str,
        spans: Sequence[tuple[int, int]],
        answers: Sequence[Answer],
    ) -> Iterator[tuple[int, int]]:
        """Character spans of the answers that can be used."""
        for answer in answers:
            start, reason = _place(answer, context)
            if start is not None and not _holds_word(spans, start, start + len(answer.text)):
                start, reason = None, WORDLESS
            if reason:
                self._change(answer.line, id, reason, repaired=start is not None)
            if start is not None:
                yield start, start + len(answer.text)

    def _is_new(self, example: Example) -> bool:
        """Whether a question's id was not used before; InputError if it was, for another one."""
        first = self._seen.setdefault(example.id, example)
        if first is example:
            return True
        if (first.texts, first.answers) != (example.texts, example.answers):
            found = f"the id {excerpt(example.id)} again (first on line {first.line})"
            raise self.text.error(example.line, found, "an id of its own for each question")
        self._change(example.line, example.id, AGAIN)
        return False

    def _change(self, line: int, row: str, reason: str, repaired: bool = False) -> None:
        self.changes.append(Change(line, "repaired" if repaired else "dropped", reason, row))


def _place(answer: Answer, context: str) -> tuple[int | None, str]:
    """Where an answer begins, None if it has no place; and why, unless that is what it says."""
    if not answer.text.strip() or answer.start == -1:
        return None, EMPTY
    if answer.start >= 0 and context.startswith(answer.text, answer.start):
        return answer.start, ""
    first = context.find(answer.text)
    if first < 0:
        return None, ABSENT
    return (first, MOVED) if context.find(answer.text, first + 1) < 0 else (None, AMBIGUOUS)


def _holds_word(spans: Sequence[tuple[int, int]], start: int, end: int) -> bool:
    """Whether a word of the context shares a character with [start, end)."""
    at = bisect_right(spans, start, key=lambda span: span[1])
    return at < len(spans) and spans[at][0] < end

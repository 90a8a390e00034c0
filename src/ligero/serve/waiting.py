"""Texts that wait for a worker: a bounded line for each model, taken as batches of similar length."""

import asyncio
import itertools
import math
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ligero.serve.http import RefusedError

# Characters of a batch: its texts take turns on the processor, and later ones should not wait long.
CHARACTERS = 20_000
# Longest time, in seconds, for which anybody is sent away.
LATER = 60
# What one batch leaves of those before it, in how fast texts are read.
KEPT = 0.9


class Ask:
    """The texts of one request.

    texts: each with the second one of a pair, or None. found: what came for each. done: resolves to
    `found`, or fails with what the client is told.
    """

    def __init__(
        self, model: str, texts: Sequence[tuple[str, str | None]], deadline: float
    ) -> None:
        """deadline: on the loop's clock, in seconds."""
        loop = asyncio.get_running_loop()
        self.model, self.texts, self.deadline = model, texts, deadline
        self.found: list[Any] = [None] * len(texts)
        self.left = len(texts)
        self.done: asyncio.Future[list[Any]] = loop.create_future()
        self.numbers: set[int] = set()

    def answer(self, place: int, found: Any) -> None:
        """Take what was found in a text; a message is an error, and the request's."""
        if isinstance(found, str):
            self.fail(RefusedError(422, found))
            return
        self.found[place] = found
        self.left -= 1
        if not self.left and not self.done.done():
            self.done.set_result(self.found)

    def fail(self, error: RefusedError) -> None:
        """Tell the client so, unless it has been told something already."""
        if not self.done.done():
            self.done.set_exception(error)


@dataclass(frozen=True, slots=True)
class Job:
    """One text of a request, `place` being which one."""

    ask: Ask
    place: int
    since: float

    @property
    def texts(self) -> tuple[str, str | None]:
        """The text, and the second one of a pair."""
        return self.ask.texts[self.place]

    @property
    def characters(self) -> int:
        """Of the text or of both."""
        text, second = self.texts
        return len(text) + len(second or "")


@dataclass
class Line:
    """What waits for one model: length -> number -> job, in the order in which they came.

    Lengths are powers of two of the characters, so that a short text is not read after a long one
    that happened to come with it. A text's real bucket, by sub-words, is the runtime's business.
    size: texts that wait. read, seconds: texts of the last batches, and the time that they took.
    """

    jobs: dict[int, OrderedDict[int, Job]] = field(default_factory=dict)
    size: int = 0
    read: float = 0.0
    seconds: float = 0.0

    def oldest(self) -> tuple[int, int] | None:
        """(number, length) of the job that came first."""
        heads = [(next(iter(jobs)), length) for length, jobs in self.jobs.items() if jobs]
        return min(heads, default=None)


class Waiting:
    """All lines, and how fast they move.

    room: texts that one line holds. most: texts of a batch. patience: seconds for which a text may be
    expected to wait, 0 for any time.
    """

    def __init__(self, models: Sequence[str], room: int, most: int, patience: float = 0.0) -> None:
        self.room, self.most, self.patience = room, most, patience
        self.lines = {name: Line() for name in models}
        self._numbers = itertools.count()

    def __bool__(self) -> bool:
        return any(line.size for line in self.lines.values())

    @property
    def seconds(self) -> float:
        """How long what waits now should take: all lines share the workers, and the first come is the
        first read. A line whose speed is not known yet counts as nothing."""
        return sum(
            line.size * line.seconds / line.read for line in self.lines.values() if line.read
        )

    def check(self, model: str, count: int = 1) -> None:
        """RefusedError, 429, where a model's line has no room for so many texts more, or what waits
        for the workers already is more than they should read in time."""
        if self.lines[model].size + count > self.room:
            raise self.refusal(429, f"the queue of {model} is full ({self.room} texts)")
        if self.patience and self.seconds > self.patience:
            most = f"{1000 * self.patience:g} ms"
            raise self.refusal(429, f"too much waits already: it would take over {most}")

    def refusal(self, status: int, message: str) -> RefusedError:
        """What a client is told, with the seconds after which the lines should be empty."""
        later = min(LATER, max(1, math.ceil(self.seconds)))
        return RefusedError(status, message, {"retry-after": str(later)})

    def add(self, ask: Ask) -> None:
        """Put all texts of a request in line, or none: RefusedError as `check` has it."""
        self.check(ask.model, len(ask.texts))
        line, now = self.lines[ask.model], time.monotonic()
        for place in range(len(ask.texts)):
            job, number = Job(ask, place, now), next(self._numbers)
            line.jobs.setdefault(job.characters.bit_length(), OrderedDict())[number] = job
            ask.numbers.add(number)
        line.size += len(ask.texts)

    def withdraw(self, ask: Ask) -> None:
        """Take what still waits of a request out of its line."""
        line = self.lines[ask.model]
        for jobs in line.jobs.values():
            for number in ask.numbers & jobs.keys():
                del jobs[number]
                line.size -= 1
        ask.numbers.clear()

    def dismiss(self) -> None:
        """Tell everyone who waits that there is no more time."""
        for line in self.lines.values():
            for job in [job for jobs in line.jobs.values() for job in jobs.values()]:
                job.ask.fail(RefusedError(503, "the server is ending", {"retry-after": "5"}))

    def take(self) -> tuple[str, list[Job]] | None:
        """The next batch: the text that came first, and others for its model of similar length."""
        heads = [
            (*head, model) for model, line in self.lines.items() if (head := line.oldest())
        ]  # fmt: skip
        if not heads:
            return None
        _, length, model = min(heads)
        line = self.lines[model]
        jobs = line.jobs[length]
        batch: list[Job] = []
        room = CHARACTERS
        while jobs and len(batch) < self.most:
            number, job = next(iter(jobs.items()))
            room -= job.characters
            if batch and room < 0:
                break
            del jobs[number]
            line.size -= 1
            job.ask.numbers.discard(number)
            batch.append(job)
        return model, batch

    def ready_at(self, wait: float) -> float | None:
        """When the next batch may begin, by time.monotonic: once it is full or waited `wait` seconds."""
        found = []
        for line in self.lines.values():
            for jobs in line.jobs.values():
                if jobs:
                    full = len(jobs) >= self.most
                    found.append(0.0 if full else next(iter(jobs.values())).since + wait)
        return min(found, default=None)

    def measured(self, model: str, texts: int, seconds: float, *, crowded: bool) -> None:
        """Learn from a batch how fast a model's line moves.

        seconds: the batch's share of all workers' time. crowded: whether it left others waiting. What a
        worker does with texts that come alone says little of how many it reads when there is too much to
        do, so such a batch counts only where it was faster than its line is thought to be.
        """
        line = self.lines[model]
        if crowded or texts * line.seconds > seconds * line.read:
            line.read = KEPT * line.read + texts
            line.seconds = KEPT * line.seconds + seconds

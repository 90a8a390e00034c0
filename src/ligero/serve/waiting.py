"""Texts that wait for a worker: a bounded line for each model, taken as batches of similar length.

Nobody waits for all that another asked before: models take turns by the time that they took of the
workers, and requests to one model by characters.

A line may be long for a while, so that a crowd that comes at once is answered. While more is refused than
accepted it is kept short: few more would be answered by a long one, and all of them late.
"""

import asyncio
import bisect
import itertools
import math
import operator
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ligero.serve.messages import RefusedError

# Characters of a batch: its texts take turns on the processor, and later ones should not wait long.
CHARACTERS = 20_000
# Characters of a request that are read in one turn: about a window of 512 sub-words. A batch has texts
# of two turns at most, and more than that together are read no faster (runtime/openvino.py).
TURN = 2_000
# What a text takes beside its own characters, in characters: it is padded to 16 sub-words at least, has
# to be tokenised, and its answer to be written.
EACH = 64
# Longest time, in seconds, for which anybody is sent away.
LATER = 60
# What one batch leaves of those before it, in how fast texts are read; and how many times slower than that
# a batch may be to be believed at once: one that met a new length, or lost its processor, tells little.
KEPT, BELIEVED = 0.9, 4.0
# Seconds that leave a third of the requests that came before; how many make a flood, and the share of them
# that is refused; and the part of a batch for which one may wait in it. To refuse takes time too, so that all
# that is accepted is read more slowly then.
LATELY, MANY, FLOOD, BRIEF = 1.0, 16, 0.5, 1 / 8


class Ask:
    """The texts of one request.

    texts: each with the second one of a pair, or None. found: what came for each. done: resolves to
    `found`, or fails with what the client is told. waiting: what stands in line still.
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
        self.waiting: set[Job] = set()

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


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """One text of a request, `place` being which one. turn, number: when it is read."""

    ask: Ask
    place: int
    since: float
    turn: int
    number: int

    @property
    def texts(self) -> tuple[str, str | None]:
        """The text, and the second one of a pair."""
        return self.ask.texts[self.place]

    @property
    def characters(self) -> int:
        """Of the text or of both."""
        text, second = self.texts
        return len(text) + len(second or "")

    @property
    def work(self) -> int:
        """What it takes to read it, in characters."""
        return self.characters + EACH


@dataclass
class Demand:
    """How many requests came for one model of late, by what they were told: one of many texts is one.

    at: up to when the others are, by time.monotonic.
    """

    accepted: float = 0.0
    refused: float = 0.0
    at: float = 0.0

    def count(self, accepted: int = 0, refused: int = 0) -> None:
        """Add so many now; fewer than none are taken back."""
        now = time.monotonic()
        left = math.exp((self.at - now) / LATELY)
        self.accepted = max(0.0, left * self.accepted + accepted)
        self.refused = left * self.refused + refused
        self.at = now

    def flood(self) -> bool:
        """Whether more is refused than accepted, and that of many."""
        self.count()
        came = self.accepted + self.refused
        return came >= MANY and self.refused > FLOOD * came


# By which the texts of a line are read.
ORDER = operator.attrgetter("turn", "number")


@dataclass
class Line:
    """What waits for one model: length -> jobs, in the order in which they are read.

    Lengths are powers of two of the characters, so that a short text is not read after a long one
    that happened to come with it. A text's real bucket, by sub-words, is the runtime's business.

    A request's texts are spread over turns, so many characters for each; in a turn the oldest request
    is the first. Who comes now begins with the next turn: behind what this one has left, so that those
    who waited are not overtaken for ever, and before all that older requests have for later turns.

    size: texts that wait. turn: the present one. work: turn -> what waits for it, in characters. used:
    seconds of the workers' time so far. read, texts, seconds: characters and texts of the last batches,
    and the time that they took. demand: what came of late. short: whether it is kept short.
    """

    jobs: dict[int, list[Job]] = field(default_factory=dict)
    size: int = 0
    turn: int = 0
    work: Counter[int] = field(default_factory=Counter)
    used: float = 0.0
    read: float = 0.0
    texts: float = 0.0
    seconds: float = 0.0
    demand: Demand = field(default_factory=Demand)
    short: bool = False

    def expected(self, turns: float = math.inf) -> float:
        """Seconds that workers need for what waits for this turn and so many later ones; 0 while it is
        not known how fast this model reads."""
        last = self.turn + turns
        work = sum(work for turn, work in self.work.items() if turn <= last)
        return work * self.seconds / self.read if self.read else 0.0

    def each(self, count: float) -> float:
        """Seconds that workers need for so many texts like the last ones; 0 while that is not known."""
        return count * self.seconds / self.texts if self.texts else 0.0

    def learn(self, work: int, texts: int, seconds: float) -> None:
        """Take one more batch into account."""
        if self.read:
            seconds = min(seconds, BELIEVED * work * self.seconds / self.read)
        self.read = KEPT * self.read + work
        self.texts = KEPT * self.texts + texts
        self.seconds = KEPT * self.seconds + seconds

    def put(self, job: Job) -> None:
        """Put a text in its place."""
        jobs = self.jobs.setdefault(job.characters.bit_length(), [])
        bisect.insort(jobs, job, key=ORDER)
        self._count(job, 1)

    def drop(self, job: Job) -> None:
        """Take a text that waits out again."""
        jobs = self.jobs[job.characters.bit_length()]
        del jobs[bisect.bisect_left(jobs, ORDER(job), key=ORDER)]
        self._count(job, -1)

    def take(self, most: int) -> list[Job]:
        """The text whose turn it is, and others of similar length from this turn and the next."""
        jobs = min((jobs for jobs in self.jobs.values() if jobs), key=lambda jobs: ORDER(jobs[0]))
        self.turn = jobs[0].turn
        batch: list[Job] = []
        room = CHARACTERS
        for job in jobs[:most]:
            room -= job.characters
            if batch and (room < 0 or job.turn > self.turn + 1):
                break
            batch.append(job)
        del jobs[: len(batch)]
        for job in batch:
            self._count(job, -1)
        return batch

    def _count(self, job: Job, sign: int) -> None:
        self.size += sign
        self.work[job.turn] += sign * job.work
        if not self.work[job.turn]:
            del self.work[job.turn]


class Waiting:
    """All lines, and how fast they move.

    room: texts that one line holds. most: texts of a batch. patience: seconds for which a text may be
    expected to wait, 0 for any time and however much comes.
    """

    def __init__(self, models: Sequence[str], room: int, most: int, patience: float = 0.0) -> None:
        self.room, self.most, self.patience = room, most, patience
        self.lines = {name: Line() for name in models}
        self._numbers = itertools.count()
        self._used = 0.0

    def __bool__(self) -> bool:
        return any(line.size for line in self.lines.values())

    @property
    def seconds(self) -> float:
        """How long all that waits should take. A line whose speed is not known counts as nothing."""
        return sum(line.expected() for line in self.lines.values())

    def expected(self, model: str, turns: int = 1) -> float:
        """How long one who comes now, with texts for so many turns, should wait for others.

        Of its own line that is what stands before its last turn's end. Meanwhile any other line gets as
        much of the workers' time as its own, or all it needs where that is less.
        """
        own = self.lines[model].expected(turns)
        others = (line.expected() for name, line in self.lines.items() if name != model)
        return own + sum(min(own, other) for other in others)

    def bound(self, model: str) -> float:
        """Seconds for which a text that comes now may be expected to wait: in a flood part of a batch's."""
        line = self.lines[model]
        brief = line.each(BRIEF * self.most)
        short = bool(brief) and self.patience > brief and line.demand.flood()
        if short and not line.short:
            self._shorten(model, brief)
        line.short = short
        return brief if short else self.patience

    def check(self, model: str, count: int = 1, turns: int = 1) -> None:
        """RefusedError, 429, where a model's line has no room for so many texts more, or they would
        wait for others for too long."""
        line = self.lines[model]
        full = line.size + count > self.room
        bound = self.bound(model) if self.patience else math.inf
        if not full and self.expected(model, turns) <= bound:
            return
        line.demand.count(refused=1)
        if full:
            raise self.refusal(429, f"the queue of {model} is full ({self.room} texts)")
        most = f"{1000 * bound:.0f} ms"
        raise self.refusal(429, f"too much waits already: it would take over {most}")

    def _shorten(self, model: str, brief: float) -> None:
        """Send away who came last, as far as more waits than for so many seconds."""
        line = self.lines[model]
        jobs = sorted((job for jobs in line.jobs.values() for job in jobs), key=ORDER, reverse=True)
        for ask in dict.fromkeys(job.ask for job in jobs):
            if line.expected() <= brief:
                return
            # Of whom something was read the rest is, too.
            if len(ask.waiting) == len(ask.texts):
                self.withdraw(ask)
                ask.fail(self.refusal(429, "too much came at once"))
                line.demand.count(accepted=-1, refused=1)

    def refusal(self, status: int, message: str) -> RefusedError:
        """What a client is told, with the seconds after which the lines should be empty."""
        later = min(LATER, max(1, math.ceil(self.seconds)))
        return RefusedError(status, message, {"retry-after": str(later)})

    def add(self, ask: Ask) -> None:
        """Put all texts of a request in line, or none: RefusedError as `check` has it."""
        line, now = self.lines[ask.model], time.monotonic()
        jobs, before = [], 0
        for place in range(len(ask.texts)):
            turn = line.turn + 1 + before // TURN
            jobs.append(Job(ask, place, now, turn, next(self._numbers)))
            before += jobs[-1].work
        self.check(ask.model, len(jobs), jobs[-1].turn - line.turn)
        if not line.size:
            # Time that it did not want is not saved up.
            line.used = max(line.used, self._used)
        for job in jobs:
            line.put(job)
        ask.waiting.update(jobs)
        line.demand.count(accepted=1)

    def withdraw(self, ask: Ask) -> None:
        """Take what still waits of a request out of its line."""
        for job in ask.waiting:
            self.lines[ask.model].drop(job)
        ask.waiting.clear()

    def dismiss(self) -> None:
        """Tell everyone who waits that there is no more time."""
        for line in self.lines.values():
            for job in [job for jobs in line.jobs.values() for job in jobs]:
                job.ask.fail(RefusedError(503, "the server is ending", {"retry-after": "5"}))

    def take(self) -> tuple[str, list[Job]] | None:
        """The next batch, of the model that took least of the workers' time."""
        waiting = [(line.used, name) for name, line in self.lines.items() if line.size]
        if not waiting:
            return None
        self._used, model = min(waiting)
        batch = self.lines[model].take(self.most)
        for job in batch:
            job.ask.waiting.discard(job)
        return model, batch

    def ready_at(self, wait: float) -> float | None:
        """When the next batch may begin, by time.monotonic: once it is full or waited `wait` seconds."""
        found = []
        for line in self.lines.values():
            for jobs in line.jobs.values():
                if jobs:
                    full = len(jobs) >= self.most
                    found.append(0.0 if full else jobs[0].since + wait)
        return min(found, default=None)

    def measured(self, batch: Sequence[Job], seconds: float, *, crowded: bool) -> None:
        """Learn from a batch how fast its model's line moves.

        seconds: the batch's share of all workers' time. crowded: whether it left others waiting. What a
        worker does with texts that come alone says little of how many it reads when there is too much to
        do, so such a batch counts only where it was faster than its line is thought to be.
        """
        line, work = self.lines[batch[0].ask.model], sum(job.work for job in batch)
        line.used += seconds
        if crowded or work * line.seconds > seconds * line.read:
            line.learn(work, len(batch), seconds)

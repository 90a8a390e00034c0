"""Who waits for whom: turns of models and of requests, and how long that may be expected to take."""

import asyncio
import contextlib
import functools

import pytest

from ligero.serve.messages import RefusedError
from ligero.serve.waiting import CHARACTERS, EACH, TURN, Ask, Waiting


def looped(test):
    """A test that runs in a loop, which requests need."""

    @functools.wraps(test)
    def run():
        async def inside():
            test()

        asyncio.run(inside())

    return run


def line_up(waiting, model, *lengths):
    """A request with texts of so many characters."""
    ask = Ask(model, [("a" * length, None) for length in lengths], 1e9)
    waiting.add(ask)
    return ask


def learn(waiting, model, seconds, characters):
    """How long a model takes for so many characters, and 64 more for each text."""
    line = waiting.lines[model]
    line.read, line.seconds = float(characters), float(seconds)


def taken(waiting):
    """(request, which of its texts) of the next batch."""
    model, batch = waiting.take()
    assert {job.ask.model for job in batch} == {model}
    return [(job.ask, job.place) for job in batch]


@looped
def test_a_request_with_many_long_texts_does_not_hold_up_one_with_a_word():
    waiting = Waiting(["a"], 256, 16, patience=1.0)
    learn(waiting, "a", 0.8, 40_300)
    many = line_up(waiting, "a", *[40_300] * 20)
    assert taken(waiting) == [(many, 0)]
    # Sixteen seconds of work are in line, and a newcomer need not wait for any of it.
    assert waiting.seconds == pytest.approx(15.2, rel=0.01)
    assert waiting.expected("a") == 0
    words = [line_up(waiting, "a", 5) for _ in range(3)]
    assert taken(waiting) == [(word, 0) for word in words]
    assert taken(waiting) == [(many, 1)]


@looped
def test_requests_of_many_short_texts_go_by_turns():
    waiting = Waiting(["a"], 256, 16)
    asks = [line_up(waiting, "a", *[100] * 60) for _ in range(2)]
    batches = []
    while waiting:
        batches.append(taken(waiting))
    turns = [
        (place * (100 + EACH) // TURN, number, place) for place in range(60) for number in (0, 1)
    ]
    read = [(asks.index(ask), place) for batch in batches for ask, place in batch]
    assert read == [(number, place) for _, number, place in sorted(turns)]
    # What is alike is read in full batches still.
    assert [len(batch) for batch in batches] == [16] * 7 + [8]


@looped
def test_nobody_is_overtaken_for_ever():
    waiting = Waiting(["a"], 256, 1)
    patient = line_up(waiting, "a", 2_500, 2_500)
    read = []
    for _ in range(40):  # somebody comes whenever a text is read
        line_up(waiting, "a", 10)
        line_up(waiting, "a", 10)
        read += taken(waiting)
    first, second = read.index((patient, 0)), read.index((patient, 1))
    assert first == 0 and second <= 15


@looped
def test_a_batch_is_of_similar_length_and_bounded():
    waiting = Waiting(["a"], 256, 16)
    lengths = (100, 5_000, 90, 6_000, 7_000, 80, 7_500)
    asks = [line_up(waiting, "a", length) for length in lengths]
    of = dict(zip(asks, lengths, strict=True))
    assert [[of[ask] for ask, _ in taken(waiting)] for _ in range(3)] == [
        [100, 90, 80], [5_000, 6_000, 7_000], [7_500]
    ]  # fmt: skip
    assert not waiting
    assert line_up(waiting, "a", CHARACTERS + 1) and len(taken(waiting)) == 1
    # Of one request no more than begins within two turns, so that nobody has to wait for more.
    line_up(waiting, "a", *[900] * 20)
    assert [len(taken(waiting)) for _ in range(4)] == [5, 4, 4, 4]


@looped
def test_pairs_count_both_texts():
    waiting = Waiting(["a"], 256, 16)
    waiting.add(Ask("a", [("a" * 30, "b" * 70)], 1e9))
    (job,) = waiting.lines["a"].jobs[7]
    assert (job.characters, job.work) == (100, 100 + EACH)


@looped
def test_models_take_turns_by_time():
    waiting, cost = Waiting(["slow", "fast"], 256, 1), {"slow": 1.0, "fast": 0.25}

    def read():
        model, batch = waiting.take()
        waiting.measured(batch, cost[model], crowded=True)
        return model

    for _ in range(20):
        line_up(waiting, "slow", 10)
    assert {read() for _ in range(5)} == {"slow"}
    for _ in range(20):
        line_up(waiting, "fast", 10)
    # Of the time before, in which nobody asked it, the fast one has nothing to make up for.
    assert "".join(read()[0] for _ in range(15)) == "fffffsffffsffff"


@looped
def test_time_of_texts_that_were_never_read_counts_too():
    waiting = Waiting(["a", "b"], 256, 1)
    line_up(waiting, "a", 10)
    waiting.lines["a"].used += 5.0  # a worker was killed over a text of a's
    line_up(waiting, "b", 10)
    assert [taken(waiting)[0][0].model for _ in "ab"] == ["b", "a"]


@looped
def test_the_expected_wait_is_by_characters():
    waiting = Waiting(["a"], 1000, 16, patience=1.0)
    line_up(waiting, "a", 36)
    waiting.check("a")  # how fast it is read is not known
    for _ in range(50):
        waiting.measured(waiting.take()[1], 0.01, crowded=True)
        line_up(waiting, "a", 36)
    # 100 in 10 ms: a text of 936 characters is 0.1 s.
    assert waiting.expected("a") == pytest.approx(0.01)
    for _ in range(10):
        line_up(waiting, "a", 936)
    assert waiting.expected("a") == pytest.approx(1.01)
    with pytest.raises(RefusedError, match="over 1000 ms") as refused:
        waiting.check("a")
    assert refused.value.status == 429 and refused.value.headers["retry-after"] == "2"


@looped
def test_what_a_request_brings_itself_does_not_count():
    waiting = Waiting(["a"], 1000, 16, patience=1.0)
    learn(waiting, "a", 1, 1000)
    line_up(waiting, "a", *[936] * 100)
    assert waiting.seconds == 100 and waiting.refusal(429, "").headers["retry-after"] == "60"
    # Of that two texts are of the turn with which a newcomer would begin.
    with pytest.raises(RefusedError, match="over 1000 ms"):
        waiting.check("a")
    learn(waiting, "a", 1, 2000)
    waiting.check("a")
    # One with as many texts would wait for all of it before its last.
    with pytest.raises(RefusedError, match="over 1000 ms"):
        line_up(waiting, "a", *[936] * 100)
    assert waiting.lines["a"].size == 100
    line_up(waiting, "a", 936)


@looped
def test_other_models_count_for_no_more_than_ones_own_line():
    waiting = Waiting(["a", "b"], 1000, 16, patience=1.0)
    for _ in range(20):
        line_up(waiting, "a", 936)
    learn(waiting, "a", 1, 1000)
    learn(waiting, "b", 1, 1000)
    with pytest.raises(RefusedError):
        waiting.check("a")
    assert waiting.expected("b") == 0  # it has the next turn
    line_up(waiting, "b", 336)
    assert waiting.expected("b") == pytest.approx(0.8)
    assert waiting.expected("a") == pytest.approx(20.4)
    line_up(waiting, "b", 136)
    with pytest.raises(RefusedError):
        waiting.check("b")


@looped
def test_who_gives_up_is_taken_out_of_the_line():
    waiting = Waiting(["a"], 100, 4)
    gone, here = line_up(waiting, "a", *[50, 900] * 20), line_up(waiting, "a", 60, 900)
    learn(waiting, "a", 1, 1000)
    assert [ask for ask, _ in taken(waiting)] == [gone, gone, here, gone]
    assert len(gone.waiting) == 37
    waiting.withdraw(gone)
    line = waiting.lines["a"]
    assert not gone.waiting and line.size == 1
    assert waiting.seconds == pytest.approx(0.964) and len(line.work) == 1
    assert taken(waiting) == [(here, 1)]
    waiting.withdraw(here)
    assert not waiting and waiting.take() is None and not line.work


@looped
def test_without_a_limit_of_time_only_the_room_counts():
    waiting = Waiting(["a"], 300, 16)
    learn(waiting, "a", 60, 1)
    line_up(waiting, "a", *[1] * 300)
    with pytest.raises(RefusedError, match=r"full \(300 texts\)") as refused:
        waiting.check("a")
    assert refused.value.headers["retry-after"] == "60"


@looped
def test_a_line_that_was_slow_once_is_believed_to_be_fast_again():
    waiting = Waiting(["a"], 256, 16, patience=1.0)
    line = waiting.lines["a"]

    def read(seconds, crowded):
        line_up(waiting, "a", 100 - EACH)
        waiting.measured(waiting.take()[1], seconds, crowded=crowded)

    read(0.002, crowded=False)  # what comes alone says nothing yet
    assert line.read == 0
    read(0.002, crowded=True)
    read(0.004, crowded=False)  # a slow one that nobody waited behind
    assert (line.read, line.seconds) == (100, 0.002)
    for _ in range(60):
        read(50.0, crowded=True)
    assert line.seconds / line.read > 0.2
    for _ in range(100):
        read(0.002, crowded=False)
    assert line.seconds / line.read < 0.0001


class Clock:
    """Time that passes when it is told to."""

    def __init__(self):
        self.now = 0.0

    def monotonic(self):
        return self.now


def flood(waiting, clock, arrivals, cost):
    """Seconds that accepted texts waited, one worker reading each batch in `cost`.

    arrivals: (when, characters) in order.
    """
    waits, at = [], 0
    free = 0.0
    while at < len(arrivals) or waiting:
        if waiting and (at == len(arrivals) or free <= arrivals[at][0]):
            clock.now = max(free, clock.now)
            _, batch = waiting.take()
            waits += [clock.now - job.since for job in batch]
            seconds = cost(batch)
            free = clock.now + seconds
            waiting.measured(batch, seconds, crowded=bool(waiting))
            continue
        clock.now, characters = arrivals[at]
        at += 1
        with contextlib.suppress(RefusedError):
            line_up(waiting, "a", characters)
    return sorted(waits)


def cost(batch):
    return 0.002 + sum(0.0005 + 5e-6 * job.characters for job in batch)


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr("ligero.serve.waiting.time", clock)
    return clock


def test_under_overload_waits_are_as_long_as_promised(clock):
    """A third more than it can do, one text in thirty a thousand times as long as the others."""

    @looped
    def check():
        arrivals = [(0.0035 * n, 20_000 if n % 30 == 7 else 20 + n % 150) for n in range(9_000)]
        waiting = Waiting(["a"], 256, 16, patience=0.3)
        waits = flood(waiting, clock, arrivals, cost)
        assert 4_500 < len(waits) < 8_000
        # One of the long texts may just have been begun.
        assert waits[round(0.99 * len(waits))] < 1.5 * 0.3 + 0.1
        assert waits[len(waits) // 2] > 0.1  # and it does not refuse what it could have read

    check()


def test_in_a_flood_the_line_is_short_and_as_much_is_read(clock):
    @looped
    def check():
        arrivals = [(0.0001 * n, 20 + n % 150) for n in range(60_000)]
        waits, read = {}, {}
        for patience in (0.5, 0.0):
            clock.now = 0.0
            waiting = Waiting(["a"], 256, 16, patience=patience)
            found = flood(waiting, clock, arrivals, cost)
            waits[patience], read[patience] = found[round(0.99 * len(found))], len(found)
        # No longer than a full batch takes.
        whole = 0.002 + 16 * (0.0005 + 5e-6 * 95)
        assert waits[0.5] < 1.5 * whole < waits[0.0] / 5
        # What a batch takes beside its texts, as long as two of them here, is shared by fewer.
        assert read[0.5] > 0.6 * read[0.0] > 3_000

    check()


def test_a_crowd_that_comes_at_once_is_no_flood(clock):
    @looped
    def check():
        waiting = Waiting(["a"], 256, 16, patience=1.0)
        learn(waiting, "a", 0.16, 16 * 164)
        waiting.lines["a"].texts = 16
        asks = [line_up(waiting, "a", 100) for _ in range(100)]
        with pytest.raises(RefusedError, match="over 1000 ms"):
            for _ in range(10):
                asks.append(line_up(waiting, "a", 100))
        assert waiting.lines["a"].size == len(asks) >= 100

    check()


def test_large_requests_that_are_refused_are_no_flood(clock):
    @looped
    def check():
        waiting = Waiting(["a"], 256, 16, patience=10.0)
        learn(waiting, "a", 0.16, 16 * 164)
        waiting.lines["a"].texts = 16
        asks = [line_up(waiting, "a", 100) for _ in range(200)]
        clock.now += 5  # they wait still, and their coming is forgotten
        for _ in range(10):
            with pytest.raises(RefusedError, match="full"):
                line_up(waiting, "a", *[100] * 100)
        line_up(waiting, "a", 100)
        assert waiting.lines["a"].size == 201 and not any(ask.done.done() for ask in asks)

    check()


def test_when_a_flood_begins_who_came_last_is_sent_away(clock):
    @looped
    def check():
        waiting = Waiting(["a"], 256, 16, patience=1.0)
        learn(waiting, "a", 0.16, 16 * 164)
        line = waiting.lines["a"]
        line.texts = 16
        begun = line_up(waiting, "a", *[100] * 17)
        waiting.take()
        asks = [line_up(waiting, "a", 100) for _ in range(60)]
        clock.now += 0.1
        for _ in range(300):
            with contextlib.suppress(RefusedError):
                asks.append(line_up(waiting, "a", 100))
        # Two texts may wait, and what was begun is gone on with: one of it, and who came first.
        told = [ask.done.exception() if ask.done.done() else None for ask in asks]
        assert waiting.bound("a") == pytest.approx(0.02) and line.short
        assert not begun.done.done() and len(begun.waiting) + told.count(None) == line.size
        assert 2 <= line.size <= 3  # one is let in while no more than that waits
        assert told[0] is None and len(told) > 90
        assert all(e.status == 429 and "retry-after" in e.headers for e in told[1:-1])
        # Once nobody asks any more it is over.
        clock.now += 5
        assert waiting.bound("a") == 1.0 and not line.short

    check()


@looped
def test_one_slow_batch_says_little_of_the_next():
    waiting = Waiting(["a"], 256, 16, patience=1.0)
    learn(waiting, "a", 0.1, 1000)
    for times, slower in ((1, 1.3), (9, 1.3**10)):
        for _ in range(times):
            line_up(waiting, "a", 100 - EACH)
            waiting.measured(waiting.take()[1], 5.0, crowded=True)
        line = waiting.lines["a"]
        assert line.seconds / line.read == pytest.approx(slower * 1e-4, rel=0.1)

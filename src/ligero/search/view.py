"""What a person sees while a search runs."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from ligero.bars import say
from ligero.report import tables
from ligero.report.search import minutes, said
from ligero.search import outcome
from ligero.search.drive import Search, best
from ligero.search.outcome import Outcome

# Seconds between two looks at the folders.
LOOK = 1.0


class View:
    """What a person sees while searches run: a live table on a terminal, a line a trial elsewhere."""

    def __init__(self, searches: Sequence[Search], console: Console | None = None) -> None:
        self.searches = searches
        self.console = console or Console(stderr=True)
        self._began, self._ended = time.monotonic(), 0

    @contextmanager
    def shown(self) -> Iterator["View"]:
        """The table, kept up to date."""
        if not self.console.is_terminal:
            yield self
            return
        over = threading.Event()
        with Live(console=self.console, auto_refresh=False, transient=True) as live:

            def look() -> None:
                while not over.wait(LOOK):
                    live.update(self._now(), refresh=True)

            thread = threading.Thread(target=look, daemon=True)
            thread.start()
            try:
                yield self
            finally:
                over.set()
                thread.join()

    def ended(self, search: Search, o: Outcome) -> None:
        """A trial has ended in this process."""
        self._ended += 1
        self.console.print(
            f"  {line(o)}; {self._summary()}", highlight=False, markup=False, soft_wrap=True
        )

    def _summary(self) -> str:
        """How many are done, the best so far, and the time left."""
        ended = [o for search in self.searches for o in search.outcomes()]
        total = sum(search.total() for search in self.searches)
        parts = [f"{len(ended)} of {total}"]
        parts += [
            f"{count} {state}"
            for state in ("pruned", "failed")
            if (count := sum(o.state == state for o in ended))
        ]
        found = best(ended, self.searches[0].plan.search.select)
        # Scores of several tasks are not compared.
        alike = len({o.values.get("data.task") for o in ended}) == 1
        if alike and found is not None and found.dev is not None:
            parts.append(f"best {found.metric} {found.dev[found.metric]:.2f}: {said(found.values)}")
        if self._ended and len(ended) < total:
            each = (time.monotonic() - self._began) / self._ended
            parts.append(f"{minutes(each * (total - len(ended)))} left")
        return ", ".join(parts)

    def _now(self) -> Group:
        return Group(
            Text(f"  {self._summary()}"),
            tables.terminal(["running", "evaluations", "lowest loss", "since"], self._running()),
        )

    def _running(self) -> list[list[str]]:
        """Trials that have begun and not ended, here or elsewhere."""
        rows = []
        for search, trial in [(s, t) for s in self.searches for t in s.trials()]:
            place = outcome.trials(search.out) / trial.name
            if search.outcome(trial.name) or not (place / "config.json").is_file():
                continue
            since = time.time() - (place / "config.json").stat().st_mtime
            losses = [e["loss"] for e in outcome.logged(place)]
            lowest = f"{min(losses):.4f}" if losses else ""
            rows.append([said(trial.values), str(len(losses)), lowest, minutes(since)])
        return rows


def line(o: Outcome) -> str:
    """One trial in one line."""
    what = {"done": "", "pruned": "pruned", "failed": "failed"}[o.state]
    score = f"{o.metric} {o.dev[o.metric]:.2f}" if o.state == "done" and o.dev else what
    why = f" ({'; '.join(o.notes)})" if o.notes else ""
    return f"{said(o.values)}: {score}{why}"


def told(o: Outcome) -> None:
    """One trial on the standard error."""
    say(line(o))


def told_of(search: Search, o: Outcome) -> None:
    """One trial of several searches on the standard error."""
    say(f"{search.out.name}: {line(o)}")

"""What a person sees while a model trains: loss, score, sub-words a second, time left."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress as Bars
from rich.progress import TextColumn

from ligero.bars import bars
from ligero.train.checkpoint import Position

# Weight of the past in the running means of loss and speed: about the last fifty steps.
MEMORY = 0.98


class Progress:
    """Reports to a console: a bar on a terminal, one line for each evaluation elsewhere."""

    def __init__(self, title: str, console: Console | None = None) -> None:
        self.title = title
        self.console = console or Console(stderr=True)

    def note(self, text: str) -> None:
        """One sentence worth knowing."""
        self.console.print(f"  {self.title}: {text}", highlight=False, markup=False, soft_wrap=True)

    @contextmanager
    def training(self, total: int, at: Position) -> Iterator["TrainingBar"]:
        """A bar over `total` steps, beginning where the run stands."""
        with bars(self.console, TextColumn("{task.fields[facts]}", style="cyan")) as shown:
            yield TrainingBar(self, shown, total, at)

    @contextmanager
    def counting(self, what: str, total: int) -> Iterator[Callable[[int], None]]:
        """A bar over `total` things; call what it gives with each number finished."""
        with bars(self.console, TextColumn(what, style="cyan")) as shown:
            task = shown.add_task(self.title, total=total)
            yield lambda n: shown.advance(task, n)


class TrainingBar:
    """The bar of one training run."""

    def __init__(self, progress: Progress, bars: Bars, total: int, at: Position) -> None:
        self.progress, self.bars, self.total = progress, bars, total
        self.task = bars.add_task(progress.title, total=total, completed=at.step, facts="")
        self.loss: float | None = None
        self.speed: float | None = None
        self.score = ""
        self.last = time.monotonic()

    def step(self, step: int, loss: float, tokens: int) -> None:
        """A step was done."""
        now = time.monotonic()
        speed = tokens / max(now - self.last, 1e-9)
        self.last = now
        self.loss = loss if self.loss is None else MEMORY * self.loss + (1 - MEMORY) * loss
        self.speed = speed if self.speed is None else MEMORY * self.speed + (1 - MEMORY) * speed
        facts = f"loss {self.loss:.4f}  {self.score}  {self.speed:,.0f} tok/s"
        self.bars.update(self.task, completed=step, facts=facts)

    def evaluated(self, at: Position, metric: str) -> None:
        """The validation data were scored."""
        self.last = time.monotonic()
        self.score = f"best {metric} {(at.metrics or {}).get(metric, float('nan')):.2f}"
        if not self.progress.console.is_terminal:
            loss = float("nan") if self.loss is None else self.loss
            self.progress.note(
                f"step {at.step} of {self.total}, loss {loss:.4f}, {self.score}, "
                f"{self.speed or 0:,.0f} tok/s, {at.seconds:.0f} s"
            )

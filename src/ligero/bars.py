"""What a person sees while work goes on: bars with the time left, and sentences between them."""

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)


def bars(console: Console, *columns: ProgressColumn) -> Progress:
    """A bar that is seen on a terminal only and leaves nothing behind.

    columns: what stands between the bar and how many things are done, of how many.
    """
    return Progress(
        TextColumn("  {task.description:<20}"),
        BarColumn(bar_width=24),
        *columns,
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )


def say(text: str) -> None:
    """One sentence on the standard error."""
    Console(stderr=True).print(f"  {text}", highlight=False, markup=False, soft_wrap=True)

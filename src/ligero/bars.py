"""The one look of all progress bars: what is done, how much of it, time taken and time left."""

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

"""A run on the terminal: a bar for the run and one for the epoch, and a line for each epoch that has ended."""

from collections.abc import Iterable

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from digits.answers import Run
from digits.cli.output import console, per_cent, print_json
from digits.events import (
    Activated,
    Batch,
    Cancelled,
    Completed,
    EpochFinished,
    Event,
    Failed,
    Interrupted,
    Phase,
    Queued,
    Started,
)


def show(events: Iterable[Event], as_json: bool, run: Run | None = None) -> bool:
    """Print events until there are no more. Returns whether the last run was completed."""
    event: Event | None = None
    if as_json:
        for event in events:
            print_json(event)
        return isinstance(event, Completed)
    columns = TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[note]}"), TimeElapsedColumn()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        bars = Bars(progress, run)
        for event in events:
            if line := bars.move(event):
                progress.console.print(line, markup=False)
    return isinstance(event, Completed)


class Bars:
    """Two bars that move with the events of a run."""

    def __init__(self, progress: Progress, run: Run | None) -> None:
        self._progress = progress
        self._epochs = progress.add_task("run", total=run.max_epochs if run else None, note="")
        self._batches = progress.add_task("epoch", total=None, note="")

    def move(self, event: Event) -> str:
        """Move the bars, and return the line that stays, or nothing."""
        if isinstance(event, Batch):
            note = f"training loss {event.loss:.4f}, accuracy {per_cent(event.accuracy)}"
            self._progress.update(self._batches, total=event.steps, completed=event.step, note=note)
            left = "" if event.seconds_left is None else f"{event.seconds_left:.0f} s left"
            self._progress.update(self._epochs, note=left)
        elif isinstance(event, Phase):
            self._progress.update(self._batches, note=event.phase)
        elif isinstance(event, EpochFinished):
            self._progress.update(self._epochs, completed=event.epoch)
        return describe(event)


def describe(event: Event) -> str:
    """Return a line about what is worth one."""
    if isinstance(event, EpochFinished):
        validation = "" if event.val_accuracy is None else f", validation {per_cent(event.val_accuracy)}"
        return f"epoch {event.epoch}: training accuracy {per_cent(event.accuracy)}{validation}, {event.seconds:.1f} s"
    if isinstance(event, Queued):
        return f"run {event.run} is queued"
    if isinstance(event, Started):
        return f"run {event.run} has started" + (f", attempt {event.attempt}" if event.attempt > 1 else "")
    if isinstance(event, Completed):
        model = f"model {event.model}{', active now' if event.in_service else ''}"
        return f"run {event.run} is completed: {per_cent(event.test_accuracy)} on the test set, {model}"
    if isinstance(event, Interrupted):
        return f"run {event.run} was stopped"
    if isinstance(event, Cancelled):
        return f"run {event.run} was cancelled"
    if isinstance(event, Failed):
        return f"run {event.run} failed: {event.error} ({event.error_code})"
    return f"model {event.model} is active" if isinstance(event, Activated) else ""

"""The checkpoints of runs that have ended, kept beside the models, so that a later run can go on from them."""

import logging
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from secrets import token_hex

from django.conf import settings
from django.core.files.storage import storages
from django.db import transaction

from recognition import registry
from recognition.deletion import remove_files
from recognition.models import ObsoleteFile
from training.errors import NoCheckpoint
from training.learner.checkpoints import epoch_of
from training.learner.presets import is_continuable
from training.live.broadcast import persist
from training.models import TrainingRun

logger = logging.getLogger(__name__)


def keep_checkpoint(run: TrainingRun, folder: Path) -> None:
    """Store the checkpoint of the last finished epoch.

    Call it before the run's end is committed, so that a client that sees the end can continue the run. Without a
    checkpoint only that is impossible, so errors are logged and not raised.
    """
    if not settings.CHECKPOINTS_KEPT or not is_continuable(run.preset):
        return
    try:
        finished = persist(run.epochs.count)
        files = [file for file in folder.glob(f"attempt-{run.attempt}/epoch-*.keras") if epoch_of(file) == finished]
        if not files or run.checkpoint.endswith(f"_{files[0].name}"):  # an end that could not be written tried before
            return
        content = files[0].read_bytes()
        name = f"checkpoints/{run.pk}-{token_hex(4)}-{sha256(content).hexdigest()}_{files[0].name}"
        name, replaced = registry.store(storages["models"], name, content), run.checkpoint
        persist(lambda: replace_checkpoint(run, name, replaced))
    except Exception as error:  # whatever it is, the run gets its end
        logger.warning("the checkpoint of %s is not kept: %s", run, error, exc_info=True)


def replace_checkpoint(run: TrainingRun, name: str, replaced: str) -> None:
    """Let the row name this file, unless the run was claimed again. The other one goes with the next that are old.

    Safe to repeat.
    """
    with transaction.atomic():
        row = TrainingRun.objects.filter(pk=run.pk)
        named = row.filter(attempt=run.attempt).update(checkpoint=name) or row.filter(checkpoint=name).exists()
        if obsolete := replaced if named else name:
            ObsoleteFile.objects.create(name=obsolete)
    if named:
        run.checkpoint = name


def forget_old_checkpoints() -> None:
    """Remove all but the newest CHECKPOINTS_KEPT checkpoints; those of runs that are being continued stay."""
    needed = TrainingRun.objects.unfinished().filter(continues__isnull=False).values("continues")
    kept = TrainingRun.objects.exclude(checkpoint="").order_by("-pk")
    old = dict(kept.exclude(pk__in=needed).values_list("pk", "checkpoint")[settings.CHECKPOINTS_KEPT :])
    if old:
        with transaction.atomic():
            TrainingRun.objects.filter(pk__in=old).update(checkpoint="")
            ObsoleteFile.objects.bulk_create([ObsoleteFile(name=name) for name in old.values()])
        remove_files()


def place_checkpoint(run: TrainingRun, folder: Path) -> None:
    """Write the checkpoint that the run continues from where `checkpoints.prepare_attempt` finds it.

    Raises NoCheckpoint if it is gone or damaged. From the beginning, the run would train other epochs than the copied
    ones: the schedule of the learning rate depends on their number.
    """
    earlier = run.continues
    if earlier is None:
        return
    name, content = earlier.checkpoint, b""
    with suppress(FileNotFoundError):
        if name:
            with storages["models"].open(name) as stored:
                content = stored.read()
    if sha256(content).hexdigest() not in name:
        raise NoCheckpoint(earlier.pk)
    file = folder / "attempt-0" / Path(name).name.rpartition("_")[2]  # older ones are in a folder of their own
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)

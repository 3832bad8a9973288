"""The life of a claimed run: supervise its training process, publish its model, write its end.

Every exception is caught here, so that every run gets an ending.
"""

import errno
import logging
import shutil
import threading
import traceback
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import Error as AnyDatabaseError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.text import capfirst

from digits_site.backends.databases import clean
from digits_site.observability.logging import run_context
from digits_site.web.errors import StateChanged
from recognition import registry
from recognition.errors import LessAccurate, ModelRejected, NoFile, StorageUnavailable, WorseThanChampion
from recognition.models import ModelVersion, Via
from training.errors import LostClaim, NoCheckpoint
from training.learner import checkpoints
from training.learner.config import NO_SPACE, Config
from training.learner.reports import Result
from training.live.broadcast import RunProgress, payload_of, persist
from training.live.events import Started
from training.models import MAX_ATTEMPTS, Predictions, Status, StoppedVia, TrainingRun
from training.worker import inputs, presence
from training.worker.environment import describe_environment
from training.worker.kept_checkpoints import forget_old_checkpoints, keep_checkpoint, place_checkpoint
from training.worker.supervisor import TIMED_OUT, ChildFailed, ChildLost, ChildStopped, hide_paths, supervise
from training.worker.waiting import promote_next

CHAMPION_CHANGED = "Another model went into service during the run. This model was not compared with it."
SHUTDOWN = threading.Event()  # set when this worker shuts down
logger = logging.getLogger(__name__)


def execute(run_id: int) -> None:
    """Claim the run and bring it to an end; if its training process is lost, claim it again while attempts are left.

    Returns quietly if there is nothing to claim: after a second delivery, or a stop.
    """
    run = TrainingRun.objects.filter(pk=run_id).first()
    if run is None:
        return
    with run_context(run_id), closing(RunProgress(run)) as progress:
        while not SHUTDOWN.is_set() and run.claim(presence.worker_name()):
            logger.info("%s claimed, attempt %s", run, run.attempt)
            try:
                run_attempt(progress)
            except LostClaim:
                logger.warning("%s was claimed again or has ended: attempt %s writes nothing more", run, run.attempt)
                return


def run_attempt(progress: RunProgress) -> None:
    """Run one attempt, until the run has ended or is queued again. Raises LostClaim."""
    run, folder = progress.run, folder_of(progress.run)
    try:
        place_checkpoint(run, folder)
        config = checkpoints.prepare_attempt(config_of(run, folder), run.epochs.count())
        config = inputs.add_inputs(config, run)
        for other in folder.parent.iterdir():  # leftovers of runs that a web process ended: only this run is active
            if other != folder:
                shutil.rmtree(other, ignore_errors=True)
        run.write(resumed_after_epoch=config.resumed_after_epoch, environment=describe_environment())
        progress.begin_attempt(config.resumed_after_epoch)
        progress.broadcast(Started(type="started", attempt=run.attempt, resumed_after_epoch=config.resumed_after_epoch))
        publish_and_complete(progress, config, *supervise(config, progress, SHUTDOWN))
    except LostClaim:
        raise
    except ChildStopped:
        end_without_model(progress, Status.INTERRUPTED)
    except ChildLost as error:
        requeue_or_end(progress, str(error))
    except (ChildFailed, ModelRejected, NoCheckpoint, NoFile, StorageUnavailable) as error:
        detail = getattr(error, "detail", "")
        stopped = {"stopped_via": StoppedVia.TIME_LIMIT} if error.code == TIMED_OUT else {}
        values = {"error_code": error.code, "error": str(error), "error_detail": detail}
        end_without_model(progress, Status.ERROR, **values, **stopped)
    except Exception as error:
        full = isinstance(error, OSError) and error.errno == errno.ENOSPC
        code, text = ("no_space", NO_SPACE) if full else ("runner_failed", f"{type(error).__name__}: {error}")
        logger.exception("%s failed", run)
        end_without_model(progress, Status.ERROR, error_code=code, error=text, error_detail=traceback.format_exc())


def config_of(run: TrainingRun, folder: Path) -> Config:
    """Return the run's parameters for the training process."""
    parameters = {k: v for k, v in run.parameters.items() if k != "activate"}
    parameters["learning_rate"] = float(parameters["learning_rate"])  # jsonb returns 1.0 as an int
    return Config(
        preset=run.preset,
        folder=folder,
        mnist=settings.MNIST_DIR,
        attempt=run.attempt,
        learner=settings.LEARNER,
        **parameters,
    )


def publish_and_complete(
    progress: RunProgress, config: Config, result: Result, phase_seconds: dict[str, float]
) -> None:
    """Publish the model and end the run; activate the model if requested and good enough."""
    run = progress.run

    def write_end() -> bool:
        model = registry.publish(
            config.model_file.read_bytes(),
            keras_content=config.keras_file.read_bytes(),
            test_accuracy=result["test_accuracy"],
            temperature=result["temperature"] or 1.0,
            uncertain_below=result["uncertain_below"],
            parent=run.base,
        )
        with transaction.atomic():  # a completed run and its active model appear at once
            if run.base and run.base != model and result["comparison"] is not None:
                registry.compare(run.base, model, result["comparison"])
            active, not_activated = activate_if_requested(run, model)
            progress.finish(
                Status.COMPLETED,
                model=model,
                test_accuracy=result["test_accuracy"],
                calibration_error=result["calibration_error"],
                confusion=result["confusion"],
                versions=result["versions"],
                phase_seconds=phase_seconds,
                not_activated=not_activated,
            )
            Predictions.objects.update_or_create(run=run, defaults=result["predictions"])
            return active

    keep_claimed(run)
    try:
        active = persist(write_end)
    except IntegrityError:  # an earlier run had published the same bytes, and was deleted with them a moment ago
        active = persist(write_end)
    broadcast_end(progress, in_service=active)


def activate_if_requested(run: TrainingRun, model: ModelVersion) -> tuple[bool, str]:
    """Activate the model if the run or the settings request it and it is good enough.

    Returns whether it is active, and why not if it was requested.
    """
    if not (run.parameters.get("activate") or settings.ACTIVATE_AFTER_TRAINING):
        return False, ""
    try:
        registry.activate(model, by=run.requested_by, via=Via.RUN, champion=run.base, refuse_less_accurate=True)
    except WorseThanChampion as error:
        reason = " ".join(error.details["objections"])
    except LessAccurate as error:
        reason = capfirst(str(error))
    except StateChanged:
        reason = CHAMPION_CHANGED
    except ModelRejected as error:
        logger.error("%s is not activated: %s", model, error)
        return False, str(error)
    else:
        return True, ""
    logger.info("%s is not activated: %s", model, reason)
    return False, reason


def end_without_model(
    progress: RunProgress, status: Status, *, error: str = "", error_detail: str = "", **values: Any
) -> None:
    """Write an end without a model, and broadcast it. Raises LostClaim."""
    values |= {"error": clean(hide_paths(error)), "error_detail": clean(error_detail)}
    keep_claimed(progress.run)
    persist(lambda: progress.finish(status, **values))
    broadcast_end(progress)


def keep_claimed(run: TrainingRun) -> None:
    """Keep the checkpoint before the run's end is written. Raises LostClaim.

    With a heartbeat on either side: storage that hangs takes half of RUN_LOST_SECONDS, and the model is stored next.
    """
    persist(lambda: run.write(heartbeat_at=timezone.now()))
    keep_checkpoint(run, folder_of(run))
    persist(lambda: run.write(heartbeat_at=timezone.now()))


def broadcast_end(progress: RunProgress, in_service: bool = False) -> None:
    """Broadcast the end that is in the database, remove the run's files, and let the next run start."""
    run = progress.run
    level = logging.ERROR if run.status == Status.ERROR else logging.INFO
    logger.log(level, "%s: %s%s", run, run.status, f", {run.error}" if run.error else "")
    progress.broadcast(payload_of(run, in_service))
    shutil.rmtree(folder_of(run), ignore_errors=True)
    with suppress(AnyDatabaseError):  # else a watchdog does the one, and the next run's end the other
        promote_next()
        forget_old_checkpoints()


def requeue_or_end(progress: RunProgress, why: str) -> None:
    """Return the run to the queue, or end it if it was stopped or no attempt is left."""
    run = progress.run
    logger.warning("%s stopped early: %s", run, why)
    if run.stop_requested_at or run.attempt >= MAX_ATTEMPTS:
        keep_claimed(run)
    if persist(lambda: run.requeue_or_end(is_shutdown=SHUTDOWN.is_set())):
        if run.is_active:
            progress.broadcast(payload_of(run))
        else:
            keep_checkpoint(run, folder_of(run))  # if the stop came in this moment
            broadcast_end(progress)


def folder_of(run: TrainingRun) -> Path:
    """Return the folder of the run's checkpoints and model files, which is removed when the run ends."""
    return Path(settings.DATA_DIR) / "runs" / str(run.pk)

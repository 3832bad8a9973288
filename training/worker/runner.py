"""The life of a claimed run: supervise its training process, publish its model, write its end.

The one place of the project that catches every exception: whatever goes wrong here, the run gets an ending.
"""

from __future__ import annotations

import errno
import logging
import shutil
import threading
import traceback
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from digits_site.observability.context import working_for
from recognition import registry
from recognition.errors import LessAccurate, ModelRejected, StorageUnavailable
from recognition.models import ModelVersion
from training.errors import LostClaim
from training.learner import checkpoints
from training.learner.config import Config
from training.live.broadcast import Broadcaster, RunProgress, ending, persist
from training.models import Predictions, Status, TrainingRun
from training.worker import heartbeat
from training.worker.supervisor import ChildFailed, ChildLost, ChildStopped, supervise

RESULTS = ("test_accuracy", "calibration_error", "confusion", "versions", "phase_seconds")  # kept in the run's row
SHUTDOWN = threading.Event()  # set when this worker is asked to stop
logger = logging.getLogger(__name__)


def execute(run_id: int) -> None:
    """Claim the run and bring it to an end; if its training process is lost, claim it again while attempts are left.

    Leaves quietly when there is nothing to claim: a second delivery, a run that was stopped.
    """
    run = TrainingRun.objects.filter(pk=run_id).first()
    with working_for(run_id), Broadcaster() as broadcaster:
        while run is not None and not SHUTDOWN.is_set() and run.claim(heartbeat.me()):
            logger.info("%s claimed, attempt %s", run, run.attempt)
            try:
                attempt(run, RunProgress(run, broadcaster))
            except LostClaim:
                logger.warning("%s is no longer ours: attempt %s writes nothing more", run, run.attempt)
                return


def attempt(run: TrainingRun, progress: RunProgress) -> None:
    """One attempt, to an ending or to a release. Raises LostClaim."""
    folder = run_folder(run)
    try:
        config = checkpoints.prepare_attempt(config_of(run, folder), run.epochs.count())
        clear_others(folder)
        run.resume_after(config.resumed_after_epoch)
        progress.tell("started", attempt=run.attempt, resumed_after_epoch=run.resumed_after_epoch)
        result = supervise(run, config, progress, SHUTDOWN)
        complete(run, result, config, progress)
    except LostClaim:
        raise
    except ChildStopped:
        finish(run, Status.INTERRUPTED, progress)
    except ChildLost as error:
        release(run, progress, str(error))
    except ChildFailed as error:
        finish(run, Status.ERROR, progress, error_code=error.code, error=str(error), error_detail=error.detail)
    except (ModelRejected, StorageUnavailable) as error:
        finish(run, Status.ERROR, progress, error_code=error.code, error=str(error))
    except Exception as error:
        full = isinstance(error, OSError) and error.errno == errno.ENOSPC
        code = "no_space" if full else "runner_failed"
        text = "There is no space left to save the model." if full else f"{type(error).__name__}: {error}"
        logger.exception("%s failed", run)
        finish(run, Status.ERROR, progress, error_code=code, error=text, error_detail=traceback.format_exc())


def config_of(run: TrainingRun, folder: Path) -> Config:
    """The run's parameters as the training process takes them."""
    parameters = {k: v for k, v in run.parameters.items() if k != "activate"}
    parameters["learning_rate"] = float(parameters["learning_rate"])  # jsonb gives a large one back as an int
    return Config(
        preset=run.preset,
        folder=folder,
        mnist=settings.MNIST_DIR,
        attempt=run.attempt,
        learner=settings.LEARNER,
        **parameters,
    )


def complete(run: TrainingRun, result: dict[str, Any], config: Config, progress: RunProgress) -> None:
    """Publish the model, end the run, and put the model into service if that was asked for and it is good enough."""
    model = registry.publish(
        config.model_file.read_bytes(),
        keras_content=config.keras_file.read_bytes(),
        test_accuracy=result["test_accuracy"],
        temperature=result["temperature"] or 1.0,
        uncertain_below=result["uncertain_below"],
    )
    values = {name: result[name] for name in RESULTS}

    def end() -> bool:
        with transaction.atomic():  # whoever sees the run completed sees its model serve
            run.finish(Status.COMPLETED, model=model, **values)
            Predictions.objects.update_or_create(run=run, defaults=result["predictions"])
            return activate_if_asked(run, model)

    in_service = persist(end)
    close(run, progress, in_service=in_service)


def activate_if_asked(run: TrainingRun, model: ModelVersion) -> bool:
    """Put the model into service if the run or the settings ask for it and no better one serves; return whether."""
    if not (run.parameters.get("activate") or settings.ACTIVATE_AFTER_TRAINING):
        return False
    try:
        registry.activate(model, by=run.requested_by, refuse_less_accurate=True)
    except LessAccurate as error:
        logger.info("%s is not put into service: %s", model, error)
        return False
    except ModelRejected as error:
        logger.error("%s is not put into service: %s", model, error)
        return False
    return True


def finish(run: TrainingRun, status: Status, progress: RunProgress, **values: Any) -> None:
    """Write an end without a model, and tell it. Raises LostClaim."""
    persist(lambda: run.finish(status, **values))
    close(run, progress)


def close(run: TrainingRun, progress: RunProgress, in_service: bool = False) -> None:
    """Tell the end that is in the database, and leave no checkpoints behind."""
    level = logging.ERROR if run.status == Status.ERROR else logging.INFO
    logger.log(level, "%s: %s%s", run, run.status, f", {run.error}" if run.error else "")
    progress.tell(run.status, **ending(run, in_service))
    shutil.rmtree(run_folder(run), ignore_errors=True)


def release(run: TrainingRun, progress: RunProgress, why: str) -> None:
    """Hand the run back to the queue, or end it when it has had its attempts."""
    logger.warning("%s released: %s", run, why)
    if not persist(run.release):
        return
    if run.is_active:
        progress.tell(run.status)
    else:
        close(run, progress)


def run_folder(run: TrainingRun) -> Path:
    """Where the training process keeps checkpoints and the model file; gone when the run has ended."""
    return Path(settings.DATA_DIR) / "runs" / str(run.pk)


def clear_others(folder: Path) -> None:
    """Runs that a web process ended left their folders here; no other run is active now."""
    for other in folder.parent.iterdir():
        if other != folder:
            shutil.rmtree(other, ignore_errors=True)

"""What a run starts from: the model in service and corrections to learn, or the last epoch of an earlier run."""

from digits_site.web.errors import InvalidParameter
from recognition.corrections.selection import Selection, select_accepted, select_again
from recognition.models import Activation
from training.errors import CorrectionsGone, NoCheckpoint, NoModel, NoWeights, TooFewCorrections
from training.learner.presets import is_continuable
from training.models import Epoch, RunCorrections, TrainingRun

MIN_CORRECTIONS = 10  # accepted ones, for a run that learns corrections


def add_corrections(run: TrainingRun, corrections_of: int | None) -> None:
    """Let the run begin with the model in service and learn corrections: a copy, which later changes do not reach.

    Raises NoModel, NoWeights, TooFewCorrections, CorrectionsGone and InvalidParameter.
    """
    current = Activation.current()
    if current is None:
        raise NoModel("No model is in service, so training has nothing to start from.")
    if not current.model.keras_file:
        raise NoWeights
    selection = select_accepted() if corrections_of is None else select_corrections_of(corrections_of)
    if len(selection.entries) < MIN_CORRECTIONS:
        raise TooFewCorrections(len(selection.entries), MIN_CORRECTIONS)
    run.base = current.model
    run.save(update_fields=["base"])
    RunCorrections.objects.create(
        run=run,
        count=selection.trained_on,
        held_out=selection.held_out,
        sha256=selection.sha256,
        entries=selection.entries,
        pictures=selection.pictures,
    )


def select_corrections_of(number: int) -> Selection:
    """Return the corrections that an earlier run used. Raises InvalidParameter and CorrectionsGone."""
    earlier = RunCorrections.objects.filter(run=number).defer("pictures").first()
    if earlier is None:
        raise InvalidParameter(f"corrections_of: Run {number} used no corrections.", field="corrections_of")
    selection = select_again(earlier.entries)
    if selection.sha256 != earlier.sha256:
        raise CorrectionsGone
    return selection


def can_continue(run: TrainingRun) -> bool:
    """Return whether the weights of the run's last epoch are kept, and its preset learns no corrections."""
    return run.has_ended and bool(run.checkpoint) and is_continuable(run.preset)


def continue_run(run: TrainingRun, number: int) -> None:
    """Let the run go on after the last epoch of run `number`, with a copy of its epochs. Raises NoCheckpoint."""
    earlier = TrainingRun.objects.filter(pk=number).first()
    if earlier is None or not can_continue(earlier):
        raise NoCheckpoint(number)
    run.continues = earlier
    run.seq += 1  # so that viewers of its first event miss the epochs, and get a snapshot
    run.save(update_fields=["continues", "seq"])
    epochs = earlier.epochs.values(
        *(field.name for field in Epoch._meta.concrete_fields if field.name not in ("id", "run"))
    )
    Epoch.objects.bulk_create(Epoch(run=run, **values) for values in epochs)

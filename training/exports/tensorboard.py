"""Write runs as TensorBoard reads them: a folder for each, with an event file, the model and its picture."""

import io
import shutil
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from PIL import Image

from training.exports.record import CONFUSION_FILE, INSTALL, SIGNATURE_FILE, ExportError, RunRecord
from training.models import Status

NO_MARKUP = str.maketrans("|\n", "  ")  # what would end a cell of a table


def export_to_tensorboard(record: RunRecord, where: str) -> str:
    """Write the folder `where`/run-12 and return what was done. Writing it again replaces its files.

    The event file comes last and by renaming, so that TensorBoard never shows half a run. Raises ExportError.
    """
    folder = Path(where) / record.folder
    target = folder / f"events.out.tfevents.{record.started:.0f}.{record.folder}"
    try:
        others = [path for path in folder.glob("*tfevents*") if path != target]
        if others:
            raise ExportError(f"{folder} has events of another run ({others[0].name}). Choose another folder.")
        was_there = target.exists()
        with TemporaryDirectory() as scratch:
            events = write_events(record, scratch)
            folder.mkdir(parents=True, exist_ok=True)
            for name, content in record.files.items():
                path = folder / name
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(content)
            draft = folder / f"draft-{token_hex(4)}"  # another export may be writing the same run
            try:
                shutil.copyfile(events, draft)
                draft.replace(target)
            finally:
                draft.unlink(missing_ok=True)
    except OSError as error:
        raise ExportError(f"{folder} cannot be written: {error}") from error
    return f"{record.name} is in {folder}{', in place of its earlier export' if was_there else ''}."


def write_events(record: RunRecord, folder: str) -> Path:
    """Write the event file and return its path. Raises ExportError if the library is missing."""
    try:
        from tensorboardX import SummaryWriter
    except ModuleNotFoundError as error:
        raise ExportError(f"TensorBoard's files need the package tensorboardX: {INSTALL}") from error
    with SummaryWriter(folder) as writer:
        add_parameters(writer, record)
        for each in record.measurements:
            writer.add_scalar(each.metric, each.value, each.step, each.time)
        writer.add_text("parameters", as_table(record.parameters), 0, record.ended)
        writer.add_text("tags", as_table(record.tags), 0, record.ended)
        if SIGNATURE_FILE in record.files:
            writer.add_text("model", f"```\n{record.files[SIGNATURE_FILE].decode()}\n```", 0, record.ended)
        if CONFUSION_FILE in record.files:
            picture = np.asarray(Image.open(io.BytesIO(record.files[CONFUSION_FILE])))
            writer.add_image("confusion", picture, 0, record.ended, dataformats="HWC")
    return next(Path(folder).glob("*tfevents*"))


def add_parameters(writer: Any, record: RunRecord) -> None:
    """Add the parameters to the table of hyperparameters: `add_hparams` would show them as a run of its own."""
    from tensorboardX.proto.plugin_hparams_pb2 import HParamsPluginData
    from tensorboardX.summary import hparams

    last = {each.metric: each.value for each in record.measurements}
    *beginning, end = hparams(record.parameters, last)
    for summary in beginning:
        writer.file_writer.add_summary(summary, 0, record.started)
    if record.status != Status.COMPLETED:
        data = HParamsPluginData.FromString(end.value[0].metadata.plugin_data.content)
        data.session_end_info.status = 2  # failed: TensorBoard knows no stopped run
        end.value[0].metadata.plugin_data.content = data.SerializeToString()
    writer.file_writer.add_summary(end, 0, record.ended)


def as_table(values: dict[str, Any]) -> str:
    """Return a table in Markdown."""
    rows = [f"| {name} | {str(value).translate(NO_MARKUP)} |" for name, value in values.items()]
    return "\n".join(["| name | value |", "| --- | --- |", *rows])

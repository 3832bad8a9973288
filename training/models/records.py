"""What belongs to a training run: tags, the corrections that it learns, predictions, epochs and batches."""

from __future__ import annotations

from django.db import models

RUN = "training.TrainingRun"


class RunTag(models.Model):
    """A word by which a run is found again."""

    run = models.ForeignKey(RUN, on_delete=models.CASCADE, related_name="tags")
    name = models.CharField(max_length=40, db_index=True)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["run", "name"], name="one_row_per_tag")]

    def __str__(self) -> str:
        return self.name


class RunCorrections(models.Model):
    """The corrections that a run learns from and is judged by, as they were when it was requested.

    `pictures` is emptied at the run's end: what remains names the corrections and proves which they were.
    """

    run = models.OneToOneField(RUN, on_delete=models.CASCADE, primary_key=True, related_name="corrections")
    count = models.PositiveIntegerField(help_text="trained on")
    held_out = models.PositiveIntegerField(help_text="judged by")
    sha256 = models.CharField("SHA-256", max_length=64, help_text="of the sorted lines `SHA-256 of the picture, label`")
    entries = models.JSONField(help_text="[ID, label, held out] of each")
    pictures = models.BinaryField(help_text="784 bytes for each entry, in their order; empty once the run has ended")

    class Meta:
        verbose_name_plural = "run corrections"

    def __str__(self) -> str:
        return f"corrections of run {self.run_id}"


class Predictions(models.Model):
    """A completed run's predictions for MNIST's 10,000 test digits, in the order of the file; 30 kB."""

    run = models.OneToOneField(RUN, on_delete=models.CASCADE, primary_key=True, related_name="predictions")
    predicted = models.BinaryField(help_text="10,000 bytes: the predicted digits")
    confidence = models.BinaryField(help_text="10,000 little-endian uint16: their probabilities, 65535 for 1")

    class Meta:
        verbose_name_plural = "predictions"

    def __str__(self) -> str:
        return f"predictions of run {self.run_id}"


class Epoch(models.Model):
    """One finished epoch of a run; losses in nats, accuracies as fractions, null where not measured."""

    run = models.ForeignKey(RUN, on_delete=models.CASCADE, related_name="epochs")
    epoch = models.PositiveIntegerField(help_text="counts from 1")
    loss = models.FloatField(null=True, blank=True, help_text="cross-entropy over the digits")
    accuracy = models.FloatField(null=True, blank=True, help_text="share of the digits predicted correctly")
    val_loss = models.FloatField("validation loss", null=True, blank=True, help_text="over the held-back digits")
    val_accuracy = models.FloatField("validation accuracy", null=True, blank=True)
    objective = models.FloatField(null=True, blank=True, help_text="what training minimised, over all pictures")
    learning_rate = models.FloatField()
    seconds = models.FloatField()

    class Meta:
        ordering = ["epoch"]
        constraints = [models.UniqueConstraint(fields=["run", "epoch"], name="one_row_per_epoch")]

    def __str__(self) -> str:
        return f"epoch {self.epoch} of run {self.run_id}"


class Batches(models.Model):
    """The thinned curve of an ended run's batches, about 8 kB: means over the epoch up to that batch."""

    run = models.OneToOneField(RUN, on_delete=models.CASCADE, primary_key=True, related_name="batches")
    steps = models.PositiveIntegerField(help_text="batches in an epoch")
    points = models.JSONField(help_text="[finished epochs, with a fraction; loss; accuracy] of each")

    class Meta:
        verbose_name_plural = "batches"

    def __str__(self) -> str:
        return f"batches of run {self.run_id}"

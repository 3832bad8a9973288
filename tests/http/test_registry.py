"""The registry of models: what may be published and put into service, and that every process follows."""

from pathlib import Path

import onnx
import pytest
from django.conf import settings

from recognition import registry
from recognition.errors import LessAccurate, ModelRejected, ModelUnavailable, NoEarlierModel
from recognition.models import Activation, ModelVersion
from recognition.prediction import classifier
from tests.support.constant_models import constant_model, predicted_in_service, predicted_now, publish_constant_model
from tests.support.drawings import data_url, draw, encode
from tests.support.stack import Stack, eventually
from training import shipping
from training.learner import dataset
from training.models import TrainingRun

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]


def test_publish_stores_the_file_under_its_checksum(shipped: None) -> None:
    version = publish_constant_model(3)
    assert version.sha256 in str(version.file.name)
    with version.file.open("rb") as file:
        assert file.read() == constant_model(3)
    assert publish_constant_model(3) == version, "the same bytes are the same version"
    assert Activation.current_model_id() != version.pk, "publishing puts nothing into service"


@pytest.mark.parametrize(
    "content",
    [b"", b"not a model", constant_model(1)[:300], constant_model(1, width=27), constant_model(1, outputs=9)],
    ids=["empty", "text", "torn", "27x27", "nine outputs"],
)
def test_what_cannot_serve_is_not_published(shipped: None, content: bytes) -> None:
    before = ModelVersion.objects.count()
    with pytest.raises(ModelRejected):
        registry.publish(content, test_accuracy=1)
    assert ModelVersion.objects.count() == before


def test_activate_and_roll_back_like_a_stack(shipped: None) -> None:
    with pytest.raises(NoEarlierModel):
        registry.roll_back()
    for digit in (1, 2, 3):
        registry.activate(publish_constant_model(digit))
        assert predicted_in_service() == digit
    registry.roll_back()
    assert predicted_in_service() == 2
    registry.roll_back()
    assert predicted_in_service() == 1, "rolling back twice goes back twice"
    registry.activate(publish_constant_model(3))
    registry.roll_back()
    assert predicted_in_service() == 1
    assert Activation.objects.count() == 1 + 3 + 2 + 1 + 1, "every change is a row of its own"


@pytest.mark.parametrize("harm", ["torn", "missing", "other"])
def test_a_harmed_file_is_refused_and_the_previous_model_keeps_serving(
    shipped: None, harm: str, caplog: pytest.LogCaptureFixture
) -> None:
    registry.activate(publish_constant_model(4))
    assert predicted_in_service() == 4
    version = publish_constant_model(5)
    path = Path(version.file.path)
    if harm == "missing":
        path.unlink()
    else:
        path.write_bytes(constant_model(6) if harm == "other" else path.read_bytes()[:100])
    with pytest.raises(ModelRejected):
        registry.activate(version)
    assert predicted_in_service() == 4
    # Even where the row says so, as when the file was harmed after its activation:
    Activation.objects.create(model=version, previous=Activation.current())
    classifier._in_service._checked_at = float("-inf")  # as half a second later
    assert predicted_now() == 4
    assert f"{version} rejected" in caplog.text
    classifier.forget()
    assert predicted_now() == 4, "a process that starts now goes back to what served before"


def test_no_model_is_unavailable() -> None:
    classifier.forget()
    with pytest.raises(ModelUnavailable):
        classifier.in_service()


def test_installing_the_shipped_model_twice_changes_nothing() -> None:
    first = shipping.install()
    assert shipping.install() == first
    assert (ModelVersion.objects.count(), Activation.objects.count(), TrainingRun.objects.count()) == (1, 1, 1)
    run = TrainingRun.objects.get()
    assert run.epochs.count() == run.parameters["epochs"]
    assert run.test_accuracy == first.test_accuracy > 0.99


def test_the_shipped_model_is_as_good_as_its_row_says(shipped: None) -> None:
    """The accuracy in the history, measured again through the file that serves."""
    onnx.checker.check_model(shipping.MODEL_FILE.read_bytes())
    digits = dataset.load(settings.MNIST_DIR, "t10k")
    read = classifier.in_service().probabilities(digits.images[..., 0]).argmax(axis=1)
    assert float((read == digits.labels).mean()) == pytest.approx(ModelVersion.objects.get().test_accuracy, abs=1e-3)


@pytest.mark.stack
def test_every_process_follows_an_activation_within_a_second(stack: Stack, tmp_path: Path) -> None:
    """Activated by another process (manage.py), and rolled back again."""
    (tmp_path / "eight.onnx").write_bytes(constant_model(8))
    publish = (
        "from pathlib import Path; from recognition import registry;"
        f"m = registry.publish(Path({str(tmp_path / 'eight.onnx')!r}).read_bytes(), test_accuracy=0.5);"
        "registry.activate(m); print(m.pk)"
    )

    def answer() -> tuple[int, int]:
        body = stack.http.post("/api/drawing/", json={"drawing": data_url(encode(draw(7)))}).json()
        return body["prediction"], body["model"]

    assert classifier.CHECK_SECONDS < 1
    before = answer()
    assert before[0] == 7
    version = int(stack.manage("shell", "--verbosity", "0", "-c", publish))
    eventually(lambda: answer() == (8, version), 10, "the new model's answer")
    stack.manage("shell", "--verbosity", "0", "-c", "from recognition import registry; registry.roll_back()")
    eventually(lambda: answer() == before, 10, "the old model's answer")


def test_a_less_accurate_model_does_not_replace_a_better_one_where_that_is_forbidden(shipped: None) -> None:
    before = Activation.current_model_id()
    worse = registry.publish(constant_model(3), test_accuracy=0.5)
    with pytest.raises(LessAccurate):
        registry.activate(worse, refuse_less_accurate=True)
    assert Activation.current_model_id() == before
    better = registry.publish(constant_model(4), test_accuracy=1.0)
    registry.activate(better, refuse_less_accurate=True)
    assert Activation.current_model_id() == better.pk

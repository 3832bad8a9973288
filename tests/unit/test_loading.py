"""What the product loads, and what it never does: models by checksum and nothing beside them, no pickle, no code."""

import json
import pickle
import re
from pathlib import Path
from typing import Any

import onnx
import psutil
import pytest
import redis
from django.conf import settings
from django.contrib.auth.models import User
from django.core.cache import cache, caches
from django.test import Client

from digits_site.celery import app
from recognition import registry
from recognition.errors import ModelRejected
from recognition.prediction.classifier import Classifier
from tests.support.constant_models import constant_model
from tests.support.stack import ROOT
from training import shipping

# Each of these makes objects, or runs code, out of bytes or text. A method may be called `compile`.
SUSPICIOUS = re.compile(
    r"""\b(?:import|from)\ (?:c?[pP]ickle|dill|cloudpickle|joblib|shelve|marshal|h5py|torch|imp)\b
    | (?<![\w.])(?:eval|exec|compile|__import__)\( | \b(?:load_weights|load_model|load_library)\(
    | register_custom_ops_library | \byaml\.(?:unsafe_)?load\( | \b(?:np|numpy)\.load\( | \bos\.system\(
    | \ballow_pickle=True | \bshell=True | \bsafe_mode=False | \.(?:h5|hdf5|pkl)["']""",
    re.VERBOSE,
)


def found_in_product(pattern: re.Pattern[str]) -> set[tuple[str, str]]:
    """Each file of the product in which the pattern is found, with what it found."""
    files = [
        ROOT / "manage.py",
        *(f for name in ("digits_site", "recognition", "training") for f in (ROOT / name).rglob("*.py")),
    ]
    return {
        (str(f.relative_to(ROOT)), match) for f in files for match in pattern.findall(f.read_text(encoding="utf-8"))
    }


def test_no_module_unpickles_or_runs_what_it_reads() -> None:
    """NumPy unpickles nothing unless told to; Keras loads checkpoints, and the weights that a run begins with."""
    learner = "training/learner"
    assert found_in_product(SUSPICIOUS) == {
        (f"{learner}/trainer.py", "load_model("),  # a checkpoint of the same run
        *((f"{learner}/{name}.py", "load_weights(") for name in ("fine_tuning", "trainer")),  # no layers, no code
        *((f"{learner}/adaptation/{name}.py", "np.load(") for name in ("corrections", "replay")),
        ("recognition/corrections/importing.py", "np.load("),
    }


@pytest.mark.parametrize(
    "line",
    [
        "import pickle",
        "from joblib import load",
        "eval(x)",
        "np.load(f)",
        "np.load(f, allow_pickle=True)",
        "yaml.load(x)",
    ]
    + ["keras.models.load_model(f)", "model.load_weights('a')", "open('model.h5')", "subprocess.run(x, shell=True)"],
)
def test_what_would_be_found(line: str) -> None:
    assert SUSPICIOUS.search(line)


def test_one_place_opens_models_and_only_training_shipping_and_a_command_publish_them() -> None:
    """No view, and nothing else that a visitor reaches."""
    opening = found_in_product(re.compile(r"(?<!def )(?<!class )\b(?:InferenceSession|open_session|Classifier)\("))
    in_training = {"training/learner/export.py", "training/learner/adaptation/teacher.py"}  # and the base
    by_command = {"training/publishing.py"}
    assert {file for file, _ in opening} == {
        "recognition/prediction/classifier.py",
        "recognition/registry.py",
    } | in_training | by_command
    publishing = found_in_product(re.compile(r"\bregistry\.publish\(|from recognition\.registry import"))
    assert {file for file, _ in publishing} == {"training/worker/runner.py", "training/shipping.py"} | by_command


# --- Models ---


@pytest.mark.django_db
def test_a_file_that_was_swapped_is_never_loaded(shipped: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even looked at by ONNX Runtime."""
    version = registry.publish(constant_model(3), test_accuracy=0.5)
    Path(version.file.path).write_bytes(constant_model(4))
    monkeypatch.setattr("recognition.prediction.classifier.open_session", lambda content: pytest.fail("it was opened"))
    with pytest.raises(ModelRejected, match="not the published one"):
        registry.activate(version)


def model_with_a_file(location: str, *, in_a_node: bool) -> bytes:
    """The numbers of a tensor are in another file."""
    model = onnx.load_from_string(constant_model(3))
    zeros = model.graph.initializer[0]
    zeros.ClearField("float_data")
    zeros.data_location = onnx.TensorProto.EXTERNAL
    for key, value in (("location", location), ("offset", "0"), ("length", str(7840 * 4))):
        zeros.external_data.add(key=key, value=value)
    if in_a_node:
        model.graph.node.insert(0, onnx.helper.make_node("Constant", [], ["zeros"], value=zeros))
        del model.graph.initializer[0]
    content: bytes = model.SerializeToString()
    return content


@pytest.mark.parametrize("in_a_node", [False, True])
@pytest.mark.parametrize("location", ["weights.bin", "../here/weights.bin", "/etc/hostname"])
def test_a_model_that_refers_to_another_file_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, location: str, in_a_node: bool
) -> None:
    """ONNX Runtime itself would read it from the folder that the process is in, or from one beside it."""
    here = tmp_path / "here"
    here.mkdir()
    (here / "weights.bin").write_bytes(bytes(7840 * 4))
    monkeypatch.chdir(here)
    with pytest.raises(ModelRejected, match="other files"):
        Classifier(model_with_a_file(location, in_a_node=in_a_node), version=1)


def test_onnx_runtimes_own_format_is_refused(tmp_path: Path) -> None:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "model.ort")
    options.add_session_config_entry("session.save_model_format", "ORT")
    onnxruntime.InferenceSession(constant_model(3), options, providers=["CPUExecutionProvider"])
    with pytest.raises(ModelRejected):
        Classifier((tmp_path / "model.ort").read_bytes(), version=1)


def test_the_shipped_model_is_whole_and_onnx_runtime_reports_nothing() -> None:
    """What it reports to its makers it keeps in a database of its own, until it has sent it."""
    assert Classifier(shipping.MODEL_FILE.read_bytes(), version=1)
    assert [file.path for file in psutil.Process().open_files() if "onnxruntime" in file.path] == []


# --- Redis: whoever can write to it must not be able to run code here ---


class Bomb:
    def __reduce__(self) -> Any:
        return pytest.fail, ("it was unpickled",)


@pytest.mark.parametrize("alias", settings.CACHES)
@pytest.mark.parametrize(
    "content", [pickle.dumps(Bomb()), b"\xff\xfe", b"[" * 100_000], ids=["pickle", "bytes", "nested"]
)
def test_foreign_values_in_the_cache_are_ignored(alias: str, content: bytes) -> None:
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.set(caches[alias].make_key("planted"), content)
    assert caches[alias].get("planted") is None


@pytest.mark.django_db
def test_a_planted_session_is_not_there_and_the_real_one_goes_on(client: Client) -> None:
    client.force_login(User.objects.create_superuser("ada"))
    key = f"django.contrib.sessions.cached_db{client.session.session_key}"
    with redis.Redis.from_url(settings.REDIS_URL) as server:
        kept = json.loads(server.get(caches["sessions"].make_key(key)))
        assert "_auth_user_id" in kept, "JSON"
        server.set(caches["sessions"].make_key(key), pickle.dumps(Bomb()))
    assert client.get("/admin/", HTTP_HOST="localhost").status_code == 200


def test_what_is_cached_comes_back() -> None:
    for value in (5, 2.5, "text", None, True, {"a": [1]}, [1, 2.5]):
        cache.set("test", value)
        assert cache.get("test") == value
    cache.delete("test")


def test_messages_between_processes_are_json() -> None:
    assert list(app.conf.accept_content) == ["json"]
    assert (app.conf.task_serializer, app.conf.result_serializer) == ("json", "json")

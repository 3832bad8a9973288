"""docs/asyncapi.yaml holds what /ws/training/ really sends: its form, every kind of message, a whole run against it."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from functools import cache, reduce
from operator import getitem
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

import pytest
import yaml
from websockets.sync.client import ClientConnection, connect

from digits_site.server.options import MESSAGE_TOO_BIG, SERVICE_RESTART
from tests.support.retries import first_good
from tests.support.stack import PATIENCE_SECONDS, Stack, eventually
from training.live import consumers, events

if TYPE_CHECKING:
    from jsonschema import Draft7Validator  # it takes a second to import

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "docs" / "asyncapi.yaml"
FROM_CLIENTS = {"ping"}


@cache
def document() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return loaded


def payloads() -> dict[str, dict[str, Any]]:
    return {name: message["payload"] for name, message in document()["components"]["messages"].items()}


@cache
def validator(kind: str) -> Draft7Validator:
    """Of one type of message; AsyncAPI's schemas are JSON Schema draft 7. `components` resolves the references."""
    from jsonschema import Draft7Validator

    return Draft7Validator({**payloads()[kind], "components": document()["components"]})


def complaint(message: dict[str, Any]) -> str:
    """What is wrong with a message by its own schema, in few words; empty when nothing is."""
    kind = message.get("type")
    if kind not in payloads():
        return f"type {kind!r} is not in {FILE.name}"
    from jsonschema.exceptions import best_match

    error = best_match(validator(kind).iter_errors(message))
    while error and error.context:  # of `null or a Run`, what is wrong with the Run
        error = max(error.context, key=lambda inner: len(inner.absolute_path))
    return f"{kind}, {error.json_path}: {error.message[:200]}" if error else ""


def test_the_file_is_asyncapi_3_whose_references_resolve() -> None:
    assert document()["asyncapi"].startswith("3.")
    assert document()["channels"]["training"]["address"] == "/ws/training/"
    references = re.findall(r"\$ref: \"?([^\"}\s]+)", FILE.read_text(encoding="utf-8"))
    assert references
    for reference in references:
        first, *parts = reference.split("/")
        assert first == "#", f"{reference} points outside the file"
        reduce(getitem, parts, document())


def test_every_schema_is_valid_closed_and_pins_the_type_of_its_message() -> None:
    import jsonschema

    for name, schema in {**document()["components"]["schemas"], **payloads()}.items():
        jsonschema.Draft7Validator.check_schema(schema)
        assert schema.get("type") != "object" or "additionalProperties" in schema or name in FROM_CLIENTS, name
    for kind, payload in payloads().items():
        assert payload["properties"]["type"] == {"const": kind}
        assert "type" in payload["required"]
        assert kind in FROM_CLIENTS or payload["additionalProperties"] is False


def test_the_channel_and_its_operations_list_every_message() -> None:
    messages = set(payloads())
    assert set(document()["channels"]["training"]["messages"]) == messages
    used = {name: {m["$ref"].rsplit("/", 1)[1] for m in o["messages"]} for name, o in document()["operations"].items()}
    assert used == {"watch": messages - FROM_CLIENTS, "ask": FROM_CLIENTS}


def test_the_file_has_every_message_that_the_code_sends_and_no_other_with_the_properties_of_its_type() -> None:
    types = [*get_args(events.Payload), *get_args(events.Reply), events.Snapshot, events.Activated]
    in_code = {get_args(get_type_hints(each)["type"])[0]: each for each in types}
    assert set(in_code) == set(payloads()) - FROM_CLIENTS
    for kind, message in in_code.items():
        schema = payloads()[kind]
        head = {"run", "seq", "time"} & set(schema["properties"])
        assert set(schema["properties"]) == message.__required_keys__ | message.__optional_keys__ | head
        assert set(schema["required"]) == message.__required_keys__ | head


def test_the_parameters_bounds_are_the_codes() -> None:
    from training.parameters.recipe import RunParameters

    schemas = document()["components"]["schemas"]["Parameters"]["properties"]
    bounded = {name: field for name, field in RunParameters().fields.items() if hasattr(field, "min_value")}
    for name in ("corrections_of", "from_run"):  # of the request alone, as the run keeps what they name
        del bounded[name]
    assert set(bounded) == {"epochs", "batch_size", "learning_rate", "samples", "validation_samples", "seed"}
    for name, field in bounded.items():
        assert (schemas[name]["minimum"], schemas[name]["maximum"]) == (field.min_value, field.max_value), name


def test_a_run_is_documented_as_the_serializer_shows_it() -> None:
    from training.parameters.recipe import RunParameters
    from training.serializers import EpochSerializer, RunSerializer

    schemas = document()["components"]["schemas"]
    assert set(schemas["Run"]["properties"]) == set(RunSerializer().fields)
    assert set(schemas["Epoch"]["properties"]) == set(EpochSerializer().fields)
    assert set(schemas["Parameters"]["properties"]) == set(RunParameters().fields) - {
        "preset",
        "corrections_of",
        "from_run",
    }
    for name in ("Run", "Epoch", "Parameters"):
        assert set(schemas[name]["required"]) == set(schemas[name]["properties"]), name


def test_the_close_codes_are_documented_and_can_be_sent() -> None:
    calls = [node for node in ast.walk(ast.parse(Path(consumers.__file__).read_text())) if isinstance(node, ast.Call)]
    closing = [call.args[0] for call in calls if getattr(call.func, "attr", "") == "close" and call.args]
    codes = {eval(ast.unparse(argument), vars(consumers)) for argument in closing}
    unsendable = {code for code in codes if code != 1000 and not 3000 <= code <= 4999}
    assert unsendable == set(), "daphne refuses to close with these; the client gets 1011 and the log a traceback"
    assert codes | {SERVICE_RESTART, MESSAGE_TOO_BIG} == set(map(int, document()["info"]["x-close-codes"]))


# --- The running product ---


@pytest.fixture
def socket(stack: Stack) -> Iterator[ClientConnection]:
    with connect(stack.ws_url) as connection:
        yield connection


def is_undisturbed(messages: list[dict[str, Any]]) -> bool:
    """Whether every event came itself: one in transit for longer than DELIVERY_SECONDS is replaced by a snapshot."""
    return [message["type"] for message in messages].count("snapshot") == 1


def tells_the_end(message: dict[str, Any], run: int) -> bool:
    if message["type"] == "snapshot":
        return message["run"]["id"] == run and message["run"]["finished_at"] is not None
    return message["type"] in events.ENDINGS


def receive(connection: ClientConnection, seconds: float = 60) -> dict[str, Any]:
    """The next message, held against its schema."""
    message: dict[str, Any] = json.loads(connection.recv(timeout=seconds))
    problem = complaint(message)
    assert not problem, problem
    return message


def messages_of_a_run(stack: Stack) -> list[dict[str, Any]]:
    with connect(stack.ws_url) as socket:
        messages = [receive(socket)]
        run = stack.train(samples=512, epochs=2)
        while not tells_the_end(messages[-1], run):
            messages.append(receive(socket))
    return messages


@pytest.mark.postgres
@pytest.mark.stack
def test_every_message_of_a_whole_run_is_as_documented(stack: Stack) -> None:
    messages = first_good(lambda: messages_of_a_run(stack), is_undisturbed)
    run = messages[-1]["run"]
    seen = {message["type"] for message in messages}
    assert seen >= {"snapshot", "queued", "started", "phase", "batch", "epoch", "completed"}
    persisted = [m for m in messages[1:] if m["run"] == run and m["type"] not in events.TRANSIENT]
    assert [m["seq"] for m in persisted] == [1, 2, 3, 4, 5], "queued, started, two epochs, completed"
    assert [m["epoch"] for m in messages if m["type"] == "epoch"] == [1, 2]
    phases = [m["phase"] for m in messages if m["type"] == "phase"]
    known = payloads()["phase"]["properties"]["phase"]["enum"]
    assert phases == [phase for phase in known if phase not in {"drawing", "stopping"}], "nobody drew or stopped here"
    with connect(stack.ws_url) as late:
        ended = stack.run(run)
        assert receive(late) == {"type": "snapshot", "seq": 5, "run": ended, "batches": [], "model": 1}


def curve_so_far(stack: Stack) -> list[dict[str, Any]]:
    with connect(stack.ws_url) as late:
        curve: list[dict[str, Any]] = receive(late)["batches"]
    return curve


def messages_of_a_stop(stack: Stack) -> list[dict[str, Any]]:
    with connect(stack.ws_url) as socket:
        messages = [receive(socket)]
        run = stack.train(batch_size=16)  # no epoch ends before the stop
        while messages[-1]["type"] != "batch":
            messages.append(receive(socket))
        eventually(lambda: curve_so_far(stack), PATIENCE_SECONDS, "the curve, which follows the first batch")
        assert stack.http.post("/api/stop_training/").status_code == 200
        while not tells_the_end(messages[-1], run):
            messages.append(receive(socket))
    return messages


@pytest.mark.stack
def test_a_stopped_run_is_told_as_documented(stack: Stack) -> None:
    kinds = [message["type"] for message in first_good(lambda: messages_of_a_stop(stack), is_undisturbed)]
    assert kinds[-1] == "interrupted"
    assert set(kinds[kinds.index("batch") : -1]) <= set(events.TRANSIENT)


@pytest.mark.stack
@pytest.mark.parametrize(
    ("frame", "answer", "code"),
    [
        ('{"type": "ping"}', "pong", None),
        ("", "error_frame", "invalid_json"),
        ("{", "error_frame", "invalid_json"),
        (b"\x00\xff", "error_frame", "invalid_json"),
        ("[" * 4096, "error_frame", "invalid_json"),
        ("null", "error_frame", "unknown_type"),
        ("[]", "error_frame", "unknown_type"),
        ("1", "error_frame", "unknown_type"),
        ('{"type": 7}', "error_frame", "unknown_type"),
        ('{"type": "stop"}', "error_frame", "unknown_type"),
    ],
)
def test_a_client_frame_is_answered_as_documented_and_the_socket_stays(
    stack: Stack, socket: ClientConnection, frame: str | bytes, answer: str, code: str | None
) -> None:
    receive(socket)
    socket.send(frame)
    message = receive(socket)
    assert (message["type"], message.get("code")) == (answer, code)
    socket.send('{"type": "ping"}')
    assert receive(socket) == {"type": "pong"}
    assert "Traceback" not in stack.log("web")

"""The legacy API's calls for training, and the presets."""

from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.exceptions import PermissionDenied
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from digits_site.accounts.permissions import channel_of, missing_scope
from digits_site.web.errors import InvalidParameter
from digits_site.web.openapi.errors import raises
from recognition.api.examples import example
from recognition.api.permissions import MayActivate
from recognition.models import Activation
from training import errors, services, stopping
from training.api import schema
from training.api.estimate import estimate
from training.api.permissions import MayStop, MayTrain, is_anonymous_visitor
from training.learner.presets import PRESETS
from training.live.broadcast import current_progress
from training.models import Status, StoppedVia, TrainingRun
from training.parameters.requests import StartParameters, StopParameters
from training.serializers import queue_positions


class StartView(APIView):
    permission_classes = (MayTrain,)

    @extend_schema(
        operation_id="retrainModel",
        tags=["training"],
        summary="Start a run; without a body, the default one.",
        request={"application/json": StartParameters},
        responses={202: OpenApiResponse(schema.StartedRun, "The run is queued, or waits for others to end.")},
        examples=example({"preset": "fast", "epochs": 1}),
    )
    @raises(
        *(InvalidParameter, errors.RunActive, errors.QueueFull, errors.CoolDown, errors.QueueUnavailable),
        *(errors.NoModel, errors.NoWeights, errors.TooFewCorrections, errors.CorrectionsGone, errors.NoCheckpoint),
    )
    def post(self, request: Request) -> Response:
        parameters = StartParameters(data=request.data, context={"bounded": is_anonymous_visitor(request)})
        parameters.is_valid(raise_exception=True)
        given = parameters.validated_data
        if given["run"]["activate"] and (missing := missing_scope(request, MayActivate.scope)):
            raise PermissionDenied(missing)
        wanted = services.RunRequest.of(given["run"], waits=given["queue"], description=given["description"])
        run = services.request_run(wanted, by=request.user)
        answer: dict[str, Any] = {"message": "Model creation started", "run": run.pk}
        if given["queue"]:
            answer["queue_position"] = position = queue_positions().get(run.pk, 0)
            if position:
                answer["message"] = f"Run {run.pk} waits for other runs to end."
        return Response(answer, status=202)


class StopView(APIView):
    permission_classes = (MayStop,)
    # A beacon of an empty FormData has a form's Content-Type.
    parser_classes = [*APIView.parser_classes, FormParser, MultiPartParser]

    @extend_schema(
        operation_id="stopTraining",
        tags=["training"],
        summary="Stop the active run, or cancel the waiting one that `run` names.",
        request={parser.media_type: StopParameters for parser in parser_classes},
        responses=OpenApiResponse(
            schema.RunReference, "It stops at its next batch. Repeating the request changes nothing."
        ),
        examples=example({}),
    )
    @raises(InvalidParameter, errors.NotInProgress, errors.RunMismatch)
    def post(self, request: Request) -> Response:
        parameters = StopParameters(data=request.data)
        parameters.is_valid(raise_exception=True)
        via = StoppedVia(channel_of(request))
        run = stopping.request_stop(parameters.validated_data["run"], by=request.user, via=via)
        message = f"Run {run.pk} is cancelled." if run.status == Status.CANCELLED else "Stop signal sent."
        return Response({"message": message, "run": run.pk})


class StatusView(APIView):
    @extend_schema(
        operation_id="checkModelStatus",
        tags=["training"],
        summary="Get the status of the newest run; a queued run counts as in progress.",
        responses=schema.NewestStatus,
    )
    def get(self, request: Request) -> Response:
        run = TrainingRun.objects.only("status").newest()
        status = run.status if run else "not_started"
        return Response({"model_status": Status.IN_PROGRESS if status == Status.QUEUED else status})


class ProgressView(APIView):
    @extend_schema(
        operation_id="getTrainingProgress",
        tags=["training"],
        summary="Get the progress of the active run; `{}` if there is none.",
        responses=schema.ProgressSerializer,
    )
    def get(self, request: Request) -> Response:
        return Response(current_progress(TrainingRun.objects.active().newest()))


class AccuracyView(APIView):
    @extend_schema(
        operation_id="getModelAccuracy",
        tags=["training"],
        summary="Get the test accuracy of the newest completed run, else of the model in service.",
        responses=schema.TestAccuracy,
    )
    def get(self, request: Request) -> Response:
        completed = TrainingRun.objects.filter(status=Status.COMPLETED).newest_first()
        accuracy = completed.values_list("test_accuracy", flat=True).first()
        if accuracy is None:
            activation = Activation.current()
            accuracy = activation.model.test_accuracy if activation else None
        return Response({"accuracy": accuracy})


class PresetsView(APIView):
    @extend_schema(
        operation_id="listPresets",
        tags=["training"],
        summary="List the presets, and how long each takes here.",
        responses=schema.PresetsSerializer,
    )
    def get(self, request: Request) -> Response:
        presets = [{"name": name, **vars(preset), "estimate": estimate(name)} for name, preset in PRESETS.items()]
        return Response(schema.PresetsSerializer({"results": presets}).data)

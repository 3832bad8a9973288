"""The legacy API's calls for training, and the presets."""

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.exceptions import PermissionDenied
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from digits_site.accounts.permissions import missing_scope
from digits_site.web.errors import InvalidParameter
from digits_site.web.openapi.errors import raises
from recognition.api.permissions import MayActivate
from recognition.models import Activation
from training import errors, services
from training.api import estimate, schema
from training.api.permissions import MayStop, MayTrain, is_anonymous_visitor
from training.live.broadcast import current_progress
from training.models import Status, TrainingRun
from training.serializers import RunParameters, StopParameters


class StartView(APIView):
    """POST /api/retrain_model/: start a run. Without a body, all parameters are the preset's."""

    permission_classes = (MayTrain,)

    @extend_schema(
        operation_id="retrainModel",
        tags=["training"],
        summary="Start a run; without a body, the default one.",
        request={"application/json": RunParameters},
        responses={202: OpenApiResponse(schema.RunReferenceSerializer, "The run is queued.")},
    )
    @raises(InvalidParameter, errors.RunActive, errors.CoolDown, errors.QueueUnavailable)
    def post(self, request: Request) -> Response:
        parameters = RunParameters(data=request.data, context={"bounded": is_anonymous_visitor(request)})
        parameters.is_valid(raise_exception=True)
        values = dict(parameters.validated_data)
        if values["activate"] and (missing := missing_scope(request, MayActivate.scope)):
            raise PermissionDenied(missing)
        run = services.request_run(values.pop("preset"), values, by=request.user)
        return Response({"message": "Model creation started", "run": run.pk}, status=202)


class StopView(APIView):
    """POST /api/stop_training/: stop the active run, or `{"run": 12}` if it is the active one.

    Parses forms because a beacon of an empty FormData has a form's Content-Type.
    """

    permission_classes = (MayStop,)
    parser_classes = [*APIView.parser_classes, FormParser, MultiPartParser]

    @extend_schema(
        operation_id="stopTraining",
        tags=["training"],
        summary="Stop the active run, or nothing if another one is named.",
        request={parser.media_type: StopParameters for parser in parser_classes},
        responses=OpenApiResponse(
            schema.RunReferenceSerializer, "It stops at its next batch. Repeating the request changes nothing."
        ),
    )
    @raises(InvalidParameter, errors.NotInProgress, errors.RunMismatch)
    def post(self, request: Request) -> Response:
        parameters = StopParameters(data=request.data)
        parameters.is_valid(raise_exception=True)
        run = services.request_stop(parameters.validated_data["run"], by=request.user)
        return Response({"message": "Stop signal sent.", "run": run.pk})


class StatusView(APIView):
    """GET /api/check_model_status/: the newest run's status; queued counts as in progress."""

    @extend_schema(
        operation_id="checkModelStatus",
        tags=["training"],
        summary="Get the state of the newest run; a queued one counts as in progress.",
        responses=schema.ModelStatusSerializer,
    )
    def get(self, request: Request) -> Response:
        run = TrainingRun.objects.only("status").newest()
        status = run.status if run else "not_started"
        return Response({"model_status": Status.IN_PROGRESS if status == Status.QUEUED else status})


class ProgressView(APIView):
    """GET /api/training_progress/: the active run's progress, or `{}`."""

    @extend_schema(
        operation_id="getTrainingProgress",
        tags=["training"],
        summary="Get the progress of the active run; `{}` if there is none.",
        responses=schema.ProgressSerializer,
    )
    def get(self, request: Request) -> Response:
        return Response(current_progress(TrainingRun.objects.active().newest()))


class AccuracyView(APIView):
    """GET /api/model_accuracy/: the newest completed run's accuracy, else the one of the model in service."""

    @extend_schema(
        operation_id="getModelAccuracy",
        tags=["training"],
        summary="Get the test accuracy of the newest completed run, else of the model in service.",
        responses=schema.AccuracySerializer,
    )
    def get(self, request: Request) -> Response:
        completed = TrainingRun.objects.filter(status=Status.COMPLETED).newest_first()
        accuracy = completed.values_list("test_accuracy", flat=True).first()
        if accuracy is None:
            activation = Activation.current()
            accuracy = activation.model.test_accuracy if activation else None
        return Response({"accuracy": accuracy})


class PresetsView(APIView):
    """GET /api/presets/: each preset's defaults, and how long it takes on this installation."""

    @extend_schema(
        operation_id="listPresets",
        tags=["training"],
        summary="List the presets, and how long each takes here.",
        responses=schema.PresetsSerializer,
    )
    def get(self, request: Request) -> Response:
        return Response({"results": estimate.presets()})

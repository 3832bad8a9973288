"""The registry of models as the API tells it: every version, its files to take away, and putting one into service."""

from __future__ import annotations

from typing import Any

from django.db.models.fields.files import FieldFile
from django.http import HttpResponse
from rest_framework import mixins, serializers, viewsets
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from recognition import filters, registry
from recognition.exceptions import NoFile
from recognition.models import Activation, ModelVersion

FOR_EVER = "public, max-age=31536000, immutable"
FILES = {"onnx": "file", "keras": "keras_file"}


class ModelSerializer(serializers.ModelSerializer[ModelVersion]):
    """A version; `files` holds the addresses of those that it has."""

    in_service = serializers.SerializerMethodField()
    files = serializers.SerializerMethodField()

    class Meta:
        model = ModelVersion
        fields = (
            *("id", "sha256", "size", "test_accuracy", "temperature", "uncertain_below", "created_at"),
            *("in_service", "files"),
        )

    def get_in_service(self, model: ModelVersion) -> bool:
        return bool(model.pk == self.context["serving"])

    def get_files(self, model: ModelVersion) -> dict[str, str]:
        return {
            kind: reverse(f"model-{kind}", args=[model.pk]) for kind, field in FILES.items() if getattr(model, field)
        }


class ModelViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[ModelVersion]):
    """GET /api/models/ (newest first) and GET /api/models/<id>/."""

    queryset = ModelVersion.objects.all()
    serializer_class = ModelSerializer

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "serving": Activation.current_model_id()}

    def activate(self, request: Request, pk: int) -> Response:
        """POST /api/models/<id>/activate/: put it into service; again changes nothing. 409 when its file is refused."""
        model = self.get_object()
        registry.activate(model, by=request.user)
        return Response(self.get_serializer(model).data)

    def onnx(self, request: Request, pk: int) -> HttpResponse:
        """GET /api/models/<id>/onnx/: for any runtime that reads ONNX."""
        return download(self.get_object(), "onnx")

    def keras(self, request: Request, pk: int) -> HttpResponse:
        """GET /api/models/<id>/keras/: to go on training, with keras.models.load_model."""
        return download(self.get_object(), "keras")

    def filters(self, request: Request, pk: int) -> HttpResponse:
        """GET /api/models/<id>/filters/: both convolutions as float32 (recognition.filters), 208 kB."""
        answer = HttpResponse(filters.filters(self.get_object()), content_type="application/octet-stream")
        answer["Cache-Control"] = FOR_EVER
        return answer


def download(model: ModelVersion, kind: str) -> HttpResponse:
    """One of a version's files, which never change. Raises NoFile and StorageUnavailable."""
    answer = HttpResponse(content_of(getattr(model, FILES[kind])), content_type="application/octet-stream")
    answer["Content-Disposition"] = f'attachment; filename="digits-model-{model.pk}.{kind}"'
    answer["Cache-Control"] = FOR_EVER
    return answer


def content_of(file: FieldFile) -> bytes:
    """Raises NoFile and StorageUnavailable."""
    if not file:
        raise NoFile
    try:
        with file.open("rb") as opened:
            content: bytes = opened.read()
    except OSError as error:
        raise NoFile from error
    return content

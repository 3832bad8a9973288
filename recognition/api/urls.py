from django.urls import path

from recognition.api.correction_views import CorrectionViewSet, SummaryView
from recognition.api.model_views import ModelViewSet
from recognition.api.permissions import MayActivate
from recognition.api.views import DrawingsView, DrawingView, NumberView

urlpatterns = [
    path("drawing/", DrawingView.as_view(), name="drawing"),
    path("number/", NumberView.as_view(), name="number"),
    path("drawings/", DrawingsView.as_view(), name="drawings"),
    path(
        "corrections/",
        CorrectionViewSet.as_view({"get": "list", "post": "create", "delete": "destroy_of_account"}),
        name="corrections",
    ),
    path("corrections/summary/", SummaryView.as_view(), name="correction-summary"),
    path("corrections/<int:pk>/", CorrectionViewSet.as_view({"delete": "destroy"}), name="correction"),
    path("models/", ModelViewSet.as_view({"get": "list"}), name="models"),
    path("models/<int:pk>/", ModelViewSet.as_view({"get": "retrieve"}), name="model"),
    path("models/<int:pk>/onnx/", ModelViewSet.as_view({"get": "onnx"}), name="model-onnx"),
    path("models/<int:pk>/keras/", ModelViewSet.as_view({"get": "keras"}), name="model-keras"),
    path("models/<int:pk>/filters/", ModelViewSet.as_view({"get": "filters"}), name="model-filters"),
    path("models/<int:pk>/dense/", ModelViewSet.as_view({"get": "dense"}), name="model-dense"),
    path(
        "models/<int:pk>/activate/",
        ModelViewSet.as_view({"post": "activate"}, permission_classes=[MayActivate]),
        name="model-activate",
    ),
]

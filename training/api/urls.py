from django.urls import path

from training.api import history, views
from training.live.sse import stream

run_list = history.RunViewSet.as_view({"get": "list"})
run_detail = history.RunViewSet.as_view({"get": "retrieve", "patch": "partial_update"}, detail=True)
run_comparison = history.RunViewSet.as_view({"get": "comparison"}, detail=True)
run_digits = history.RunViewSet.as_view({"get": "digits"}, detail=True)

urlpatterns = [
    path("retrain_model/", views.StartView.as_view(), name="retrain"),
    path("stop_training/", views.StopView.as_view(), name="stop"),
    path("check_model_status/", views.StatusView.as_view(), name="status"),
    path("training_progress/", views.ProgressView.as_view(), name="training-progress"),
    path("progress/", stream, name="progress"),
    path("model_accuracy/", views.AccuracyView.as_view(), name="model-accuracy"),
    path("runs/", run_list, name="runs"),
    path("runs/<int:pk>/", run_detail, name="run"),
    path("runs/<int:pk>/digits/", run_digits, name="run-digits"),
    path("runs/<int:pk>/comparison/", run_comparison, name="run-comparison"),
    path("presets/", views.PresetsView.as_view(), name="presets"),
]

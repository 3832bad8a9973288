from django.urls import path

from training import views
from training.streams import stream

run_list = views.RunViewSet.as_view({"get": "list"})
run_detail = views.RunViewSet.as_view({"get": "retrieve"})

urlpatterns = [
    path("retrain_model/", views.StartView.as_view(), name="retrain"),
    path("stop_training/", views.StopView.as_view(), name="stop"),
    path("check_model_status/", views.StatusView.as_view(), name="status"),
    path("training_progress/", views.ProgressView.as_view(), name="training-progress"),
    path("progress/", stream, name="progress"),
    path("model_accuracy/", views.AccuracyView.as_view(), name="model-accuracy"),
    path("runs/", run_list, name="runs"),
    path("runs/<int:pk>/", run_detail, name="run"),
]

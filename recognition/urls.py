from django.urls import path

from recognition.views import DrawingView

urlpatterns = [path("drawing/", DrawingView.as_view(), name="drawing")]

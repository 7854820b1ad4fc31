from django.urls import path, re_path

from whatsapp_bot import files, views

urlpatterns = [
    path("whatsapp/webhook/", views.webhook, name="webhook"),
    path("whatsapp/status/", views.status, name="status"),
    # A redirect to the address above would lose the message.
    re_path(r"^whatsapp/webhook$", views.webhook),
    path("files/<int:pk>/small/", files.thumbnail, name="thumbnail"),
    path("files/<int:pk>/", files.file, name="file"),
    path("health/", views.health, name="health"),
]

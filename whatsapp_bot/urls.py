from django.urls import path, re_path

from whatsapp_bot import views

urlpatterns = [
    path("whatsapp/webhook/", views.webhook, name="webhook"),
    path("whatsapp/status/", views.status, name="status"),
    # A redirect to the address above would lose the message.
    re_path(r"^whatsapp/webhook$", views.webhook),
    path("health/", views.health, name="health"),
]

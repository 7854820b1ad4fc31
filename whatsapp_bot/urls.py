from django.urls import path

from whatsapp_bot import views

urlpatterns = [
    path("whatsapp/webhook/", views.webhook, name="webhook"),
    path("health/", views.health, name="health"),
]

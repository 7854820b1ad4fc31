from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

urlpatterns = [
    path("admin/second-factor/", include("config.access.urls")),
    path("admin/", admin.site.urls),
    path("", include("whatsapp_bot.urls")),
    path("simulator/", include("whatsapp_bot.simulator.urls")),
    path("", RedirectView.as_view(pattern_name="admin:index")),
]

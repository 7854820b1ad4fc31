from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from config.api.views import Documentation

urlpatterns = [
    path("admin/second-factor/", include("config.access.urls")),
    path("admin/", admin.site.urls),
    path("api/", include("config.api.urls")),
    path("docs/", Documentation.as_view(), name="docs"),
    path("", include("whatsapp_bot.urls")),
    path("simulator/", include("whatsapp_bot.simulator.urls")),
    path("", RedirectView.as_view(pattern_name="admin:index")),
]

from django.apps import AppConfig


class ApiConfig(AppConfig):
    """What the apps' `api.py` have in common, and the pages about it."""

    name = "config.api"
    label = "api"
    verbose_name = "API"

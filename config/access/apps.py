from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in
from django.db.models.signals import post_migrate


class AccessConfig(AppConfig):
    """Who may sign in, and what they may then do. The last of all apps: see `create_groups`."""

    name = "config.access"
    verbose_name = "Access"

    def ready(self) -> None:
        from config.access import cleaning  # noqa: F401
        from config.access.groups import create_groups
        from config.access.second_factor import note_proof

        post_migrate.connect(create_groups, sender=self)
        user_logged_in.connect(note_proof)

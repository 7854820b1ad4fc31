"""What gunicorn takes by itself when it is started in this folder: `gunicorn config.wsgi`."""

import gc

# Of what is being loaded nothing is garbage yet, and to look for it takes a tenth of the start.
gc.disable()

# Loaded once, so that a wrong setting stops the start with one line instead of one a worker.
preload_app = True
# Its path is the same for every gunicorn on a machine.
control_socket_disable = True
# Below the 15 seconds after which Twilio gives up.
timeout = 14


def when_ready(server: object) -> None:
    """What is loaded by now stays: let nobody look for garbage in it, and all workers share it.

    A turn makes little of what only the collector can free.
    """
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    gc.enable()
    _say_what_is_no_setting()


def _say_what_is_no_setting() -> None:
    """`manage.py` says so itself."""
    import structlog
    from django.conf import settings

    misspelt = {name: meant for name, meant in settings.NOT_SETTINGS.items() if meant}
    if misspelt:
        structlog.get_logger("config").warning("these names are no settings", meant=misspelt)

"""Structured log lines: JSON in production, readable in development.

An exception is logged by its type and the places it passed, since its text may hold what
people sent.
"""

import logging
import traceback

import structlog
from structlog.typing import EventDict, WrappedLogger


def name_exception(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Replace `exc_info` by `error`, a type's name, and `at`, the places it passed."""
    exc_info = event.pop("exc_info", None)
    if isinstance(exc_info, BaseException):
        exc_info = (type(exc_info), exc_info, exc_info.__traceback__)
    if isinstance(exc_info, tuple) and exc_info[0]:
        event["error"] = exc_info[0].__name__
        event["at"] = [
            f"{frame.filename}:{frame.lineno} {frame.name}"
            for frame in traceback.extract_tb(exc_info[2])
        ]
    return event


def logging_config(*, debug: bool) -> dict:
    """The value of Django's LOGGING. Configures structlog, which ours goes through, as well."""
    before = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    # The line that wrote an event is in no event, and takes a while to find.
    logging._srcfile = None
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *before,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    render = structlog.dev.ConsoleRenderer() if debug else structlog.processors.JSONRenderer()
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "structured": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": before,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    name_exception,
                    render,
                ],
            },
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "structured"}},
        "root": {"handlers": ["stderr"], "level": "WARNING"},
        "loggers": {
            # Django's own handlers would write the texts of exceptions.
            "django": {"handlers": [], "level": "INFO" if debug else "WARNING", "propagate": True},
            # What is refused is logged where it is refused, once.
            "django.request": {"level": "ERROR"},
            # It would write what staff search for.
            "django.server": {"handlers": [], "level": "WARNING", "propagate": True},
            "whatsapp_bot": {"level": "INFO"},
            "orders": {"level": "INFO"},
            "defects": {"level": "INFO"},
        },
    }

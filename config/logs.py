"""Structured log lines: JSON in production, readable in development.

An exception is logged by its type and the places it passed, since its text may hold what
people sent.
"""

import json
import logging
import sys
import traceback
from contextlib import suppress

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


def _as_json(logger: WrappedLogger, method: str, event: EventDict) -> str:
    """structlog's own renderer has an encoder made for each line, which takes longer than this."""
    return _json.encode(event)


_json = json.JSONEncoder(default=repr)


class Stderr:
    """Where lines go. One that cannot be written must not stop what it tells of."""

    def write(self, line: str) -> None:
        with suppress(OSError, ValueError):
            sys.stderr.write(line)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            sys.stderr.flush()


class Logger(structlog.WriteLogger):
    """One of ours, by its name."""

    def __init__(self, name: str) -> None:
        super().__init__(Stderr())
        self.name = name


def logging_config(*, debug: bool) -> dict:
    """The value of Django's LOGGING, whose lines look like ours. Configures structlog as well.

    Ours do not go through `logging`, which takes twice as long over a line.
    """
    before = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    render = structlog.dev.ConsoleRenderer() if debug else _as_json
    structlog.configure(
        processors=[*before, name_exception, render],
        logger_factory=Logger,
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=True,
    )
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
        },
    }

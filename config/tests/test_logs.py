import logging
import sys

import pytest
import structlog

from config.logs import Stderr, logging_config


@pytest.fixture(autouse=True)
def _as_configured_before():
    before = structlog.get_config()
    yield
    structlog.configure(**before)


@pytest.fixture(params=[True, False])
def config(request):
    """For development and for production."""
    return logging_config(debug=request.param)


def test_an_exception_is_logged_without_its_text(config):
    formatter = config["formatters"]["structured"].copy()
    assert formatter.pop("()") is structlog.stdlib.ProcessorFormatter
    try:
        text = "what +27821234567 said"
        raise ValueError(text)
    except ValueError:
        record = logging.LogRecord("django", 40, __file__, 1, "It failed", (), sys.exc_info())
    line = structlog.stdlib.ProcessorFormatter(**formatter).format(record)
    assert "ValueError" in line
    assert "test_an_exception_is_logged_without_its_text" in line
    assert "27821234567" not in line


def test_a_line_of_ours_has_what_is_told_and_no_text_of_an_exception(config, capsys):
    log = structlog.get_logger("orders")
    log.debug("nobody wants to know")
    log.error("It failed", order=7, exc_info=ValueError("what +27821234567 said"))
    (line,) = capsys.readouterr().err.splitlines()
    for part in ("It failed", "error", "orders", "order", "7", "ValueError"):
        assert part in line
    assert "27821234567" not in line


def test_a_line_that_cannot_be_written_stops_nothing(config, monkeypatch):
    full = open("/dev/full", "w")  # noqa: SIM115
    monkeypatch.setattr(sys, "stderr", full)
    structlog.get_logger("orders").info("linked")
    with pytest.raises(OSError, match="No space left"):
        full.close()
    Stderr().write("nor does one that is closed")

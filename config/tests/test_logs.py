import logging
import sys

import pytest
import structlog

from config.logs import logging_config


@pytest.mark.parametrize("debug", [True, False])
def test_an_exception_is_logged_without_its_text(debug):
    formatter = logging_config(debug=debug)["formatters"]["structured"].copy()
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

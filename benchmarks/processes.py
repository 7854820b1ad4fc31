"""Processes that a run waits for: they say that they go on, and are given time to clean up."""

import signal
import subprocess
import sys
import time
from typing import Any, NoReturn

SAY_EVERY = {True: 10, False: 60}
"""Seconds, on a terminal and elsewhere."""


def finish(command: list[str], **how: Any) -> int:
    """Its exit status. Who stops us stops it, and we wait until it has taken away what it made."""
    _on_stop(signal.default_int_handler)
    # In a group of its own Ctrl-C does not reach it and all that it has started: it hears from us.
    with subprocess.Popen(command, process_group=0, **how) as process:  # noqa: S603
        try:
            return _told_of(process)
        except KeyboardInterrupt:
            _on_stop(signal.SIG_IGN)
            print("\nStopping. What was made is taken away, which may take a while.", flush=True)
            process.terminate()
            process.wait()
            raise


def _on_stop(do: Any) -> None:
    """With Ctrl-C, with `kill`, and when the terminal is closed."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, do)


def _told_of(process: subprocess.Popen) -> int:
    """Wait for it, and say now and then that it goes on."""
    is_terminal, began = sys.stdout.isatty(), time.monotonic()
    while True:
        try:
            return process.wait(SAY_EVERY[is_terminal])
        except subprocess.TimeoutExpired:
            # On a terminal, what it says next takes the place of this.
            end = "\r" if is_terminal else "\n"
            print(f"  … {time.monotonic() - began:.0f} s", end=end, flush=True)


def end_when_asked() -> None:
    """From now on SIGTERM interrupts this process as Ctrl-C does, once, so that it cleans up."""
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGALRM, _interrupt)
    sys.excepthook, sys.unraisablehook = _tell, _interrupt_again


def _interrupt(*_: object) -> NoReturn:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise KeyboardInterrupt


def _tell(kind: type[BaseException], *more: Any) -> None:
    """Who was interrupted need not say where."""
    if not issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, *more)


def _interrupt_again(lost: Any) -> None:
    """Python drops what is raised while it clears an object away: then a moment later."""
    if issubclass(lost.exc_type, KeyboardInterrupt):
        signal.setitimer(signal.ITIMER_REAL, 0.1)
    else:
        sys.__unraisablehook__(lost)

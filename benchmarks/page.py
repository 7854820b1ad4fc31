"""docs/performance.md, of which each benchmark writes its own part."""

import argparse
import os
import platform
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "performance.md"
PICTURES = ROOT / "docs" / "pictures"


def may_write(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--write", action="store_true", help="the figures into docs/performance.md")


def write(part: str, *paragraphs: str) -> None:
    """In the place of what an earlier run has written there."""
    begin, end = f"<!-- {part}: written by the run -->", f"<!-- end of {part} -->"
    before, _, rest = PAGE.read_text().partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        raise LookupError(f"{PAGE} has no place for {part}")
    PAGE.write_text("\n\n".join([before + begin, *paragraphs, end]) + after)
    print(f"Written to {PAGE.relative_to(ROOT)}.")


def table(title: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [title, ["---"] * len(title), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def measured_on(*more: str) -> str:
    """When, and on what: the beginning of a sentence."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    machine = [
        f"{os.cpu_count()} cores and {memory:.0f} GiB of memory",
        f"Python {platform.python_version()}",
        *more,
    ]
    return f"Measured on {datetime.now(UTC):%Y-%m-%d} on {', '.join(machine)}"

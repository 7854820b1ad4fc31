"""What README.md and docs/ name is there."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import get_commands

ROOT = Path(settings.BASE_DIR)
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def anchors(page: Path) -> set[str]:
    """As GitHub and others make them of headings."""
    headings = re.findall(r"^#+ (.+)", page.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pages
def test_links_lead_somewhere(page: Path):
    for link in re.findall(r"\]\((?!https?:)([^)]+)\)", page.read_text(encoding="utf-8")):
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pages
def test_commands_are_there(page: Path):
    text = page.read_text(encoding="utf-8")
    assert set(re.findall(r"manage\.py ([a-z_]+)", text)) <= get_commands().keys()
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    assert set(re.findall(r"(?:`|^)make ([a-z]+)", text, re.M)) <= set(targets)


def test_every_error_in_the_log_is_explained():
    logged = {
        event
        for app in ("config", "orders", "defects", "whatsapp_bot")
        for file in (ROOT / app).rglob("*.py")
        if "tests" not in file.parts
        for event in re.findall(r"log\.error\(\s*\"([^\"]+)", file.read_text(encoding="utf-8"))
    }
    handbook = (ROOT / "docs/production.md").read_text(encoding="utf-8")
    # The doctor says it itself.
    assert {event for event in logged if f"`{event}`" not in handbook} == {"a check stumbled"}


def test_every_picture_is_shown_somewhere():
    shown = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    pictures = (ROOT / "docs/pictures").rglob("*.*")
    assert [picture.name for picture in pictures if f"/{picture.name})" not in shown] == []


def test_every_page_is_in_the_readme():
    readme = PAGES[0].read_text(encoding="utf-8")
    assert [page.name for page in PAGES[1:] if f"(docs/{page.name})" not in readme] == []

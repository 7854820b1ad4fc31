"""What `make` finds to do about the environment that it works in."""

import shutil
import subprocess
from pathlib import Path

import pytest
from django.conf import settings

MAKE = shutil.which("make")
pytestmark = pytest.mark.skipif(not MAKE, reason="make is not installed")
STAMP = ".venv/requirements.installed"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One in which everything is installed."""
    shutil.copy(Path(settings.BASE_DIR) / "Makefile", tmp_path)
    (tmp_path / "requirements.txt").touch()
    (tmp_path / ".venv/bin").mkdir(parents=True)
    has_python(tmp_path, "exit 0")
    (tmp_path / STAMP).touch()
    return tmp_path


def has_python(folder: Path, does: str) -> None:
    python = folder / ".venv/bin/python"
    python.write_text(f"#!/bin/sh\n{does}\n")
    python.chmod(0o755)


def to_do(folder: Path) -> str:
    return subprocess.check_output([MAKE, "--dry-run", STAMP], cwd=folder, text=True)


def test_an_environment_that_works_is_left_alone(folder: Path):
    assert "up to date" in to_do(folder)


def test_one_whose_python_has_none_of_its_packages_is_made_anew(folder: Path):
    """As after an upgrade of the operating system."""
    has_python(folder, "exit 1")
    (folder / STAMP).touch()
    work = to_do(folder)
    assert work.index("-m venv --clear .venv") < work.index("-m pip install")


def test_one_whose_python_is_gone_is_made_anew(folder: Path):
    (folder / ".venv/bin/python").unlink()
    assert "-m venv --clear .venv" in to_do(folder)

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand

from whatsapp_bot import doctor
from whatsapp_bot.doctor import Finding, State


class Command(BaseCommand):
    help = (
        "Looks at this installation, and says what is wrong and how to mend it. It sends nothing "
        "to anybody. The exit status is 1 when something is wrong."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="for a monitor")

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises SystemExit with 1 when something is wrong."""
        findings = []
        for finding in doctor.examine():
            findings.append(finding)
            if not options["json"]:
                self._show(finding)
        if options["json"]:
            self.stdout.write(json.dumps([asdict(finding) for finding in findings], indent=1))
        wrong = sum(finding.state == State.WRONG for finding in findings)
        if not options["json"]:
            self.stdout.write(f"\n{wrong or 'Nothing'} {'are' if wrong > 1 else 'is'} wrong.")
        if wrong:
            raise SystemExit(1)

    def _show(self, finding: Finding) -> None:
        style = {
            State.OK: self.style.SUCCESS,
            State.WARNING: self.style.WARNING,
            State.WRONG: self.style.ERROR,
        }.get(finding.state, str)
        self.stdout.write(f"{style(f'{finding.state:8}')} {finding.about}: {finding.says}")
        if finding.mend:
            self.stdout.write(f"{'':8} → {finding.mend}")
        self.stdout.flush()

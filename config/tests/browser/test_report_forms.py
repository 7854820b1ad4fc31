"""A report form from the first question to the second version."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from config.tests.browser.editing import Editing
from config.tests.browser.handset import Handset
from defects.models import DefectReport, ReportForm

pytestmark = pytest.mark.browser


def test_a_form_is_built_tried_published_and_filled_in_while_another_version_is_under_way(
    editing: Editing, handset: Callable[..., Handset]
):
    # A first version is published with two questions, and a customer begins it.
    editing.open("defects/reportform/add/")
    editing.field("title").press_sequentially("Machine trouble")
    expect(editing.field("key")).to_have_value("machine-trouble")
    what = {"kind": "text", "text": "What is wrong with it?", "name": "what"}
    editing.add("Question", position="10", **what)
    editing.add("Question", position="20", kind="text", text="Which machine is it?", name="machine")
    editing.save("Save and continue editing")
    editing.choose("on_menu", "defects")
    editing.save("Save and publish", "Version 1 is what people are asked now.")
    customer = handset("customer")
    customer.say("hi")
    customer.tap("Report a defect")
    assert customer.tap("Machine trouble") == "What is wrong with it?"
    assert customer.say("It hums") == "Which machine is it?"

    # The editor asks more and other things: five kinds of question, and one on a condition.
    editing.form("machine-trouble")
    middle = editing.page.locator(".form-row", has_text="People in the middle of it")
    expect(middle.locator(".readonly")).to_have_text("1")
    editing.row("Question", "What is wrong with it?", text="What does the machine do?")
    editing.remove("Question", "Which machine is it?")
    severity = {"kind": "choice", "name": "severity", "choices": "Minor\nMajor\nCritical"}
    editing.add("Question", position="30", text="How bad is it?", **severity)
    stopped = {"kind": "yes_no", "name": "stopped", "only_when": "severity", "equals": "Critical"}
    editing.add("Question", position="40", text="Has the line been stopped?", **stopped)
    editing.add("Question", position="50", kind="number", text="How many parts?", name="parts")
    editing.add("Question", position="60", kind="date", text="Since when?", name="since")
    row = editing.add("Question", position="70", kind="photo", text="Show me.", name="photo")
    editing.field(f"{row}required").uncheck()
    editing.save("Save and continue editing")
    expect(editing.page.get_by_text("The draft below differs from it.")).to_be_visible()

    # Tried in the simulator by the editor, it asks all of that, and nothing comes of it.
    editing.page.get_by_role("link", name="Try the saved draft").click()
    draft = Handset(editing.page, editing.base)
    draft.theirs.nth(0).wait_for()
    assert draft.last.inner_text() == "What does the machine do?"
    assert "1. Minor\n2. Major\n3. Critical" in draft.say("Rattles")
    assert "1. Yes\n2. No" in draft.tap("Critical")
    assert draft.tap("Yes") == "How many parts?"
    assert draft.say("a dozen").startswith("Sorry, I need one number, such as 12.")
    assert draft.say("12") == "Since when?"
    assert draft.say("yesterday").startswith("Show me.")
    tried = draft.say("skip")
    assert "That was the draft. Nothing was submitted." in tried
    assert "Has the line been stopped? Yes" in tried
    assert not DefectReport.objects.exists()

    # Nobody else saw it: others are asked the first version until the second is published.
    newcomer = handset("unknown")
    newcomer.say("hi")
    newcomer.tap("Report a defect")
    assert newcomer.tap("Machine trouble") == "What is wrong with it?"
    editing.form("machine-trouble")
    editing.save("Save and publish", "Version 2 is what people are asked now.")

    # A worker fills it in, and takes one answer back.
    worker = handset("worker")
    worker.say("menu")
    worker.tap("Report a defect")
    assert worker.tap("Machine trouble") == "What does the machine do?"
    assert worker.say("It rattles").startswith("How bad is it?")
    assert worker.tap("Critical").startswith("Has the line been stopped?")
    assert worker.say("back").startswith("How bad is it?")
    # Not critical after all: then the line is not asked about.
    assert worker.tap("Minor") == "How many parts?"
    assert worker.say("3") == "Since when?"
    assert worker.say("today").startswith("Show me.")
    assert "Defect Submitted" in worker.send_picture()
    report = DefectReport.objects.get()
    answers = {one["name"]: one["answer"] for one in report.answers}
    assert list(answers) == ["what", "severity", "parts", "since", "photo"]
    assert (answers["what"], answers["severity"], answers["parts"]) == ("It rattles", "Minor", "3")
    assert report.attachments.count() == 1

    # The customer in the middle of the first version goes on; what still stands is not asked again.
    assert customer.say("The press").startswith("How bad is it?")
    assert customer.tap("Major") == "How many parts?"
    assert customer.say("1") == "Since when?"
    assert customer.say("today").startswith("Show me.")
    assert "Defect Submitted" in customer.say("skip")
    report = DefectReport.objects.latest("pk")
    assert report.description == "It hums"
    assert report.reported_by.name == "A customer"


def test_an_earlier_version_is_asked_again(editing: Editing, handset: Callable[..., Handset]):
    phone = handset("worker")
    editing.form("defect")
    editing.row("Question", "Please describe the defect:", text="What did you see?")
    editing.save("Save and publish", "Version 2 is what people are asked now.")
    phone.say("hi")
    phone.tap("Report a defect")
    assert phone.tap("Report a defect") == "What did you see?"

    editing.form("defect")
    editing.page.get_by_role("link", name="All 2").click()
    row = editing.page.get_by_role("row", name="Defect, version 1")
    row.get_by_role("checkbox").check()
    editing.page.get_by_role("combobox", name="Action").select_option("go_back")
    editing.press("Run")
    expect(
        editing.page.get_by_text("People are asked again what Defect, version 1")
    ).to_be_visible()
    assert ReportForm.objects.get(key="defect").live.number == 3
    phone.say("menu")
    phone.tap("Report a defect")
    assert phone.tap("Report a defect") == "Please describe the defect:"

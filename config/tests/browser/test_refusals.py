"""What cannot be is refused, with a sentence that says why."""

import pytest
from playwright.sync_api import expect

from config.tests.browser.editing import Editing
from config.tests.browser.refusals import REFUSALS

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("where", ["texts", "menus", "forms"])
def test_each_is_refused_with_a_sentence(editing: Editing, subtests: pytest.Subtests, where: str):
    for refusal in REFUSALS:
        if refusal.where == where:
            with subtests.test(refusal.name):
                refusal.attempt(editing)
                expect(editing.page.get_by_text(refusal.says)).to_be_visible()
                expect(editing.page.get_by_text("successfully")).to_have_count(0)


def test_a_label_stops_at_24_characters_when_it_is_typed(editing: Editing):
    editing.menu("main")
    label = editing.field("items-0-label")
    label.clear()
    label.press_sequentially("Get help and support from our people")
    expect(label).to_have_value("Get help and support fro")

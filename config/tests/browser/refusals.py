"""Everything that an editor may try in vain. Each is tested here, and drawn for the handbook."""

from collections.abc import Callable
from dataclasses import dataclass

from config.tests.browser.editing import Editing
from defects.models import ReportForm
from whatsapp_bot.recent import forget_all


@dataclass(frozen=True, slots=True)
class Refusal:
    """What an editor does on the pages, and the sentence that says why it cannot be."""

    name: str
    where: str
    attempt: Callable[[Editing], None]
    says: str


REFUSALS: list[Refusal] = []


def refused(
    where: str, says: str
) -> Callable[[Callable[[Editing], None]], Callable[[Editing], None]]:
    def add(attempt: Callable[[Editing], None]) -> Callable[[Editing], None]:
        REFUSALS.append(Refusal(attempt.__name__.replace("_", "-"), where, attempt, says))
        return attempt

    return add


# Texts --------------------------------------------------------------------------------------------


@refused("texts", "{name} cannot be filled in here. Placeholders of this text: {number}.")
def unknown_placeholder(editing: Editing) -> None:
    editing.text("defects.submitted")
    editing.fill(text="Thank you, {name}! Your report is {number}.")
    editing.press("Save")


@refused("texts", "A message holds 1600 characters, this text has 1601.")
def text_too_long(editing: Editing) -> None:
    editing.text("bot.not_understood")
    editing.fill(text="Please choose a number.".ljust(1600, ".") + "!")
    editing.press("Save")


# Menus --------------------------------------------------------------------------------------------


@refused("menus", "This menu leads nowhere: add an item for everyone that opens something else.")
def menu_leads_nowhere(editing: Editing) -> None:
    editing.open("whatsapp_bot/menu/add/")
    editing.fill(key="canteen", text="*Canteen*")
    editing.press("Save")


@refused("menus", "“Once more” leads into this menu itself.")
def menu_into_itself(editing: Editing) -> None:
    editing.menu("defects")
    editing.add("Menu item", position="25", label="Once more", opens="menu:defects")
    editing.press("Save")


@refused("menus", "This menu has no way back: add an item for everyone that opens the main menu.")
def menu_without_a_way_back(editing: Editing) -> None:
    editing.menu("defects")
    editing.row("Menu item", "Back to menu", audience="worker")
    editing.press("Save")


@refused("menus", "“report a defect” is there twice: nobody could tell the two apart.")
def menu_with_a_label_twice(editing: Editing) -> None:
    editing.menu("defects")
    editing.add("Menu item", position="25", label="report a defect", opens="defects.history")
    editing.press("Save")


@refused("menus", "Ensure this value has at most 24 characters (it has 36).")
def label_too_long(editing: Editing) -> None:
    editing.menu("main")
    row = editing.row("Menu item", "Get help & support")
    # Typed, it ends after 24 characters; not everything that posts the page is a browser.
    editing.field(f"{row}label").evaluate("label => label.removeAttribute('maxlength')")
    editing.fill(**{f"{row}label": "Get help and support from our people"})
    editing.press("Save")


@refused("menus", "“Report a defect” leads nowhere: what it opens is not there.")
def menu_item_leads_nowhere(editing: Editing) -> None:
    # The last of the menus' ones, since the form stays withdrawn.
    ReportForm.objects.get(key="defect").withdraw()
    forget_all()
    editing.menu("defects")
    editing.press("Save")


# Report forms -------------------------------------------------------------------------------------


def with_severity(editing: Editing) -> None:
    """The shipped form, which asks for words, and a choice below them."""
    editing.form("defect")
    editing.add(
        "Question",
        position="20",
        kind="choice",
        text="How bad is it?",
        name="severity",
        choices="Minor\nMajor\nCritical",
    )


def with_condition(editing: Editing, only_when: str, equals: str, position: str = "30") -> None:
    with_severity(editing)
    editing.add(
        "Question",
        position=position,
        kind="yes_no",
        text="Has the line been stopped?",
        name="stopped",
        only_when=only_when,
        equals=equals,
    )
    editing.press("Save")


@refused("forms", "No question before this one has the name severity.")
def condition_on_a_later_question(editing: Editing) -> None:
    with_condition(editing, "severity", "Critical", position="15")


@refused("forms", "No question before this one has the name how-bad.")
def condition_on_an_unknown_question(editing: Editing) -> None:
    with_condition(editing, "how-bad", "Critical")


@refused("forms", "A question cannot depend on its own answer.")
def condition_on_itself(editing: Editing) -> None:
    with_condition(editing, "stopped", "yes")


@refused("forms", "description has no fixed answers: it is no choice or yes or no.")
def condition_on_a_text(editing: Editing) -> None:
    with_condition(editing, "description", "Scratch")


@refused("forms", "Catastrophic is no answer to severity. Its answers: Minor, Major, Critical.")
def condition_on_an_answer_that_is_not_there(editing: Editing) -> None:
    with_condition(editing, "severity", "Catastrophic")


@refused("forms", "A condition needs both: the name of a question and the answer to it.")
def condition_without_an_answer(editing: Editing) -> None:
    with_condition(editing, "severity", "")


@refused("forms", "A choice needs at least two lines to choose from.")
def choice_with_one_line(editing: Editing) -> None:
    editing.form("defect")
    editing.add(
        "Question",
        position="20",
        kind="choice",
        text="How bad is it?",
        name="severity",
        choices="Bad",
    )
    editing.press("Save")


@refused("forms", "Nobody could open it there yet: press “Save and publish” instead of “Save”.")
def menu_before_publishing(editing: Editing) -> None:
    editing.open("defects/reportform/add/")
    # The key first: the title would fill it in, too.
    editing.fill(key="tool-wear", title="Tool wear")
    editing.add("Question", position="10", text="Which tool?", name="tool")
    editing.press("Save and continue editing")
    editing.choose("on_menu", "defects")
    editing.press("Save")

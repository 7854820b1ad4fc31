// For those who work by keyboard or hear the page: what the theme gives to the mouse alone.
"use strict";

{
    const REACHED = "a[href], button, input, select, textarea, label, summary, [tabindex]";

    // What opens at a click is reached by Tab, and opens at Enter and at the space bar as well.
    function reach(element) {
        element.tabIndex = 0;
        element.setAttribute("role", "button");
        element.addEventListener("keydown", (event) => {
            if (event.target === element && (event.key === "Enter" || event.key === " ")) {
                event.preventDefault();
                element.click();
            }
        });
    }

    // Icons are words in a font of their own. Where there is nothing else to hear, they are the name.
    function nameByIcon(icon) {
        const control = icon.closest("a, button, [role=button]");
        if (control && !control.hasAttribute("aria-label") && !heard(control)) {
            const word = icon.textContent.trim().replaceAll("_", " ");
            control.setAttribute("aria-label", control.title || NAMES[word] || word);
        }
        if (icon !== control) {
            icon.setAttribute("aria-hidden", "true");
        }
    }

    const NAMES = {
        "arrow back": "Back", "close": "Close", "menu": "Menu", "dock to right": "Menu", "filter list": "Filters",
    };

    function heard(control) {
        const copy = document.createElement("div");
        copy.append(control.cloneNode(true));
        copy.querySelectorAll(".material-symbols-outlined").forEach((icon) => icon.remove());
        return copy.textContent.trim();
    }

    // In a table of rows to fill in, the heading of a column is the name of each field below it.
    function nameByColumn(cell) {
        cell.querySelectorAll("input:not([type=hidden]), select, textarea").forEach((field) => {
            if (!field.labels?.length || !field.labels[0].textContent.trim() || cell.matches(".delete")) {
                field.setAttribute("aria-label", cell.dataset.label);
            }
        });
    }

    function help(part) {
        const clicked = [...part.querySelectorAll("[x-on\\:click]")].filter(
            (element) => !element.matches(REACHED) && !element.closest("dialog")
        );
        clicked.forEach(reach);
        part.querySelectorAll(".material-symbols-outlined:not([aria-hidden])").forEach(nameByIcon);
        part.querySelectorAll("td[data-label]").forEach(nameByColumn);
    }

    document.addEventListener("DOMContentLoaded", () => help(document));
    document.addEventListener("formset:added", (event) => help(event.target));
}

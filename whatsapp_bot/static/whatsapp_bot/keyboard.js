// For those who work by keyboard: what the theme and Django give to the mouse alone.
"use strict";

{
    const REACHED = "a[href], button, input, select, textarea, label, summary, [tabindex]";
    const TOGGLES = /^((?!showPassword)\w+) = !\1/;

    // What opens at a click is reached by Tab, and opens at Enter and at the space bar as well.
    function reach(element) {
        const button = element.matches("h2, h3") ? inside(element) : element;
        const [, isOpen] = element.getAttribute("x-on:click")?.match(TOGGLES) || [];
        if (isOpen) {
            button.setAttribute("x-bind:aria-expanded", isOpen);
        }
        button.tabIndex = 0;
        button.setAttribute("role", "button");
    }

    // A heading stays one: the button is what is in it.
    function inside(heading) {
        const button = document.createElement("span");
        button.className = "flex grow items-center";
        button.append(...heading.childNodes);
        heading.append(button);
        return button;
    }

    function reachAll(part) {
        [...part.querySelectorAll("[x-on\\:click], div.delete-template")]
            .filter((element) => !element.matches(REACHED) && !element.closest("dialog"))
            .forEach(reach);
    }

    document.addEventListener("alpine:init", () => reachAll(document));
    document.addEventListener("keydown", (event) => {
        const isPress = event.key === "Enter" || event.key === " ";
        if (isPress && event.target.matches("[role=button]:not(a[href], button)")) {
            event.preventDefault();
            event.target.click();
        }
    });

    // The theme makes all rows below a removed one anew, without what was typed: leave it none.
    document.addEventListener("click", (event) => {
        const removed = event.target.closest(".delete-template")?.closest(".form-group");
        if (removed) {
            moveToTheEnd(removed);
        }
    }, true);

    function moveToTheEnd(row) {
        const formset = row.closest(".formset");
        const { prefix } = JSON.parse(formset.dataset.inlineFormset).options;
        const rows = [...formset.querySelectorAll(":scope > .form-group:not(.empty-form)")];
        const first = rows.indexOf(row);
        rows.slice(first + 1).forEach((below, at) => renumber(below, `${prefix}-${first + at + 1}`, `${prefix}-${first + at}`));
        rows.at(-1).after(row);
    }

    function renumber(row, from, to) {
        const number = new RegExp(`(?<![a-z0-9])${from}(?![0-9])`, "gi");
        [row, ...row.querySelectorAll("*")].flatMap((element) => [...element.attributes]).forEach((attribute) => {
            attribute.value = attribute.value.replace(number, to);
        });
    }

    // What opens over the page takes the focus, keeps it, and gives it back to its button.
    const OPENERS = "[id^=calendarlink], [id^=clocklink], [x-ref^=relatedWidgetWrapper], [x-on\\:click='filterOpen = true']";
    const POPUPS = ".calendarbox, .clockbox, nav[id^=related-widget-wrapper], #changelist-filter";
    const STOPS = "a[href], button, input:not([type=hidden]), select";
    const IN_A_CALENDAR = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7 };
    const IN_A_LIST = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -1, ArrowDown: 1 };
    let opener = null;

    // On a wide screen the filters are beside the list.
    function isOver(popup) {
        return popup?.checkVisibility() && getComputedStyle(popup).position !== "relative";
    }

    function enter(tries = 30) {
        const popup = [...document.querySelectorAll(POPUPS)].find(isOver);
        if (popup) {
            (popup.querySelector(".selected a, .today a") || popup.querySelector(STOPS)).focus();
        } else if (tries) {
            requestAnimationFrame(() => enter(tries - 1));
        }
    }

    function leaveIfClosed(popup) {
        const isLost = document.activeElement === document.body || popup.contains(document.activeElement);
        if (isLost && !popup.checkVisibility()) {
            opener?.focus();
        }
    }

    document.addEventListener("click", (event) => {
        const popup = event.target.closest(POPUPS);
        const button = event.target.closest(OPENERS);
        if (popup) {
            setTimeout(leaveIfClosed, 0, popup);
        } else if (button && event.detail === 0) { // by a key
            opener = button;
            enter();
        }
    }, true);

    document.addEventListener("keydown", (event) => {
        const popup = event.target.closest(POPUPS);
        if (event.key === "Escape") {
            closeMenus();
            if (isOver(popup)) {
                opener?.focus();
            }
        } else if (event.key === "Tab" && isOver(popup)) {
            step(event, shown(popup, STOPS), event.shiftKey ? -1 : 1);
        } else if (isOver(popup) && event.target.matches("td a")) {
            step(event, shown(popup, "td a[href]"), IN_A_CALENDAR[event.key]);
        } else if (isOver(popup) && event.target.matches(".timelist a, nav a")) {
            step(event, shown(popup, ".timelist a[href], nav a[href]"), IN_A_LIST[event.key]);
        }
    }, true);

    function shown(popup, selector) {
        return [...popup.querySelectorAll(selector)].filter((stop) => stop.checkVisibility());
    }

    function closeMenus() {
        document.querySelectorAll("[x-on\\:click^=open][aria-expanded=true]").forEach((button) => {
            button.click();
            button.focus();
        });
    }

    function step(event, stops, by) {
        if (by) {
            event.preventDefault();
            const there = stops.indexOf(document.activeElement) + by;
            stops.at(there % stops.length).focus();
        }
    }

    // Who adds a row fills it in, and who is told of a mistake mends it.
    function focusOn(field) {
        const shown = field?.matches(".select2-hidden-accessible") ? field.nextElementSibling : field;
        (shown?.querySelector("[role=combobox]") || shown)?.focus();
    }

    document.addEventListener("formset:added", (event) => {
        const fields = [...event.target.querySelectorAll("input:not([type=hidden]), select, textarea")];
        setTimeout(() => focusOn(fields.find((field) => field.checkVisibility())));
    });
    document.addEventListener("formset:removed", (event) => {
        document.querySelector(`#${event.detail.formsetName}-group .add-row`)?.focus();
    });

    // The theme hides a page until it is loaded, and somebody may type by then.
    let isInUse = false;
    ["keydown", "pointerdown"].forEach((use) => document.addEventListener(use, () => { isInUse = true; }, true));
    window.addEventListener("load", () => setTimeout(() => {
        if (!isInUse) {
            const wrong = document.querySelector("[aria-invalid=true], [data-inline-type] .errornote");
            if (wrong?.matches(".errornote")) {
                wrong.tabIndex = -1;
            }
            focusOn(wrong || document.querySelector("[autofocus]"));
        }
    }));
}

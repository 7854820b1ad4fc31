// For those who hear the page: names, and what belongs together, where the theme shows it only.
"use strict";

{
    const NAMES = {
        "arrow back": "Back", "close": "Close", "menu": "Menu", "dock to right": "Menu",
        "filter list": "Filters", "more horiz": "More actions", "delete": "Remove",
    };

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

    function heard(control) {
        const copy = document.createElement("div");
        copy.append(control.cloneNode(true));
        copy.querySelectorAll(".material-symbols-outlined").forEach((icon) => icon.remove());
        return copy.textContent.trim();
    }

    // Fields ---------------------------------------------------------------------------------------

    function nameOf(field) {
        const label = [...(field?.labels || [])].find((one) => one.textContent.trim());
        return field?.ariaLabel || label?.textContent.replace(/\*\s*$/, "").trim() || "";
    }

    // In a table of rows to fill in, the heading of a column is the name of each field below it.
    function nameByColumn(cell) {
        const column = [...cell.classList].find((name) => name.startsWith("field-"))?.slice("field-".length);
        const help = column && cell.closest("table").querySelector(`.column-${column} [title]`);
        cell.querySelectorAll("input:not([type=hidden]), select, textarea").forEach((field) => {
            if (!nameOf(field)) {
                field.setAttribute("aria-label", withPart(cell.dataset.label, field));
            }
            if (help) {
                describeBy(help, field);
            }
        });
    }

    // A moment has two fields, for its day and its time.
    function nameMoment(field) {
        const label = field.closest(".field-line")?.querySelector("label");
        if (label && !nameOf(field)) {
            field.setAttribute("aria-label", withPart(label.textContent.replace("*", "").trim(), field));
        }
    }

    function withPart(name, field) {
        return field.closest(".datetime") ? `${name}: ${field.placeholder.toLowerCase()}` : name;
    }

    function describeBy(help, field) {
        const described = field.getAttribute("aria-describedby") || "";
        help.id ||= described.split(" ")[0];
        help.setAttribute("aria-label", help.title);
        field.setAttribute("aria-describedby", described.replace(/\S+_helptext/, help.id));
    }

    // The mistakes in such a field are below it, where the field says they are.
    function nameMistakes(field) {
        const id = field.getAttribute("aria-describedby").split(" ").find((id) => id.endsWith("_error"));
        const told = field.closest("td")?.querySelector(".text-red-600.text-xs");
        if (id && told && !document.getElementById(id)) {
            told.id = id;
        }
    }

    // Each row can be removed: which one is it?
    function nameRemoval(box) {
        const row = box.closest(".form-group, .inline-related");
        const title = row?.querySelector("h3 strong, [class*='group/title'] span")?.textContent.trim();
        const texts = [...(row?.querySelectorAll("input[type=text], textarea") || [])];
        const which = title || texts.map((text) => text.value).find(Boolean) || "";
        box.setAttribute("aria-label", `Remove ${which}`.trim());
    }

    function nameChooser(combobox) {
        const select = combobox.closest(".select2-container").previousElementSibling;
        combobox.setAttribute("aria-label", [nameOf(select), select.selectedOptions[0]?.text].filter(Boolean).join(": "));
        combobox.removeAttribute("aria-labelledby");
        const chosen = combobox.querySelector(".select2-selection__rendered");
        ["role", "aria-readonly"].forEach((name) => chosen.removeAttribute(name));
    }

    function nameShortcut(link) {
        const input = link.closest(".datetimeshortcuts").parentElement.querySelector("input");
        const what = link.id.startsWith("clock") ? "choose a time" : "choose a day";
        link.setAttribute("aria-label", `${nameOf(input).split(": ")[0]}: ${what}`);
    }

    function nameMore(button) {
        const field = button.closest(".related-widget-wrapper").querySelector("select, input");
        button.setAttribute("aria-label", `${nameOf(field)}: open or add`);
    }

    // Lists ----------------------------------------------------------------------------------------

    function nameSelection(box) {
        const row = box.closest("tr").querySelector("th a, td:not(.action-checkbox) a, th, td:not(.action-checkbox)");
        box.setAttribute("aria-label", `Select ${row?.textContent.trim() || "row"}`);
    }

    function nameSorting(link) {
        const heading = link.closest("th");
        const column = heading.querySelector(".text").textContent.trim();
        link.setAttribute("aria-label", `${column}: ${link.title}`);
        if (link.matches(".toggle")) {
            heading.setAttribute("aria-sort", link.matches(".ascending") ? "ascending" : "descending");
        }
    }

    // Pages ----------------------------------------------------------------------------------------

    const FIXED = {
        "#main, body.login > #page:not(:has(main))": { role: "main" },
        "#nav-sidebar-inner": { "aria-label": "Sections" },
        "#nav-sidebar a.active": { "aria-current": "page" },
        ".errornote": { role: "alert" },
        ".calendarbox": { role: "dialog", "aria-label": "Choose a day" },
        ".clockbox": { role: "dialog", "aria-label": "Choose a time" },
        "#changelist-filter": { "aria-label": "Filters" },
    };

    function nameFixed([selector, attributes]) {
        for (const element of document.querySelectorAll(selector)) {
            Object.entries(attributes).forEach(([name, value]) => element.setAttribute(name, value));
        }
    }

    // What is scrolled is named as what it is in.
    function nameScrolled(region) {
        const owner = region.closest("nav[aria-label], fieldset[aria-labelledby]");
        const heading = document.getElementById(owner?.getAttribute("aria-labelledby"));
        const name = owner?.ariaLabel || heading?.textContent.trim();
        if (name) {
            region.setAttribute("aria-label", name);
        }
    }

    function help(part) {
        const each = (selector, name) => part.querySelectorAll(selector).forEach(name);
        each(".material-symbols-outlined:not([aria-hidden])", nameByIcon);
        each("td[data-label]:not(.delete)", nameByColumn);
        each(".datetime input", nameMoment);
        each("input.delete", nameRemoval);
        each("td [aria-describedby]", nameMistakes);
        each("#result_list .action-select", nameSelection);
        each("#result_list .sortoptions a", nameSorting);
        each(".related-widget-wrapper [x-ref]", nameMore);
    }

    // Django and the theme make these later.
    function helpLater() {
        document.querySelectorAll(".select2-selection[role=combobox]").forEach(nameChooser);
        document.querySelectorAll(".datetimeshortcuts a").forEach(nameShortcut);
        Object.entries(FIXED).forEach(nameFixed);
        document.querySelectorAll(".simplebar-content-wrapper").forEach(nameScrolled);
    }

    document.addEventListener("DOMContentLoaded", () => help(document));
    window.addEventListener("load", () => setTimeout(helpLater));
    document.addEventListener("formset:added", (event) => {
        help(event.target);
        setTimeout(helpLater);
    });
    document.addEventListener("focusin", ({ target }) => {
        if (target.matches(".select2-selection[role=combobox]")) {
            nameChooser(target);
        } else if (target.matches(".select2-search__field")) {
            const open = document.querySelector(".select2-container--open")?.previousElementSibling;
            target.setAttribute("aria-label", `${nameOf(open)}: search`);
        }
    });
}

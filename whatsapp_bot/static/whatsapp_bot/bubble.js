// Beside each text of the bot: the message as a bubble, and its length as WhatsApp counts it.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  // The labels of the page's menu items, in the order of their places, without those to delete.
  function labels() {
    return [...document.querySelectorAll("input[name^=items-][name$=-label]")]
      .filter((label) => !label.name.includes("__prefix__") && label.value.trim())
      .map((label) => {
        const of = (field) => document.querySelector(`[name="${label.name.replace(/label$/, field)}"]`);
        return { text: label.value.trim(), place: Number(of("position")?.value || 0), gone: of("DELETE")?.checked };
      })
      .filter((item) => !item.gone)
      .sort((one, other) => one.place - other.place)
      .map((item, index) => `${index + 1}. ${item.text}`);
  }

  const HOLE = "\ue000";
  const LOOKALIKES = { "*": "∗", "_": "ˍ", "~": "∼", "`": "ˋ" };
  const MARK = /(?<![\p{L}\p{N}])[*_~`](?=\S)|(?<=\S)[*_~`](?![\p{L}\p{N}])/gu;

  // What is typed, inside the words that it is sent in.
  function inside({ around, flattens }, said) {
    if (!around) return said;
    const flat = {
      lines: () => said.replace(/\s+/g, " "),
      marks: () => said.replace(MARK, (mark) => LOOKALIKES[mark]),
    };
    const typed = flattens ? flat[flattens]() : said;
    return around === HOLE ? typed : around.replace(HOLE, () => typed || "…");
  }

  for (const editor of document.querySelectorAll(".bubble-editor")) {
    const text = editor.querySelector("textarea");
    const bubble = editor.querySelector(".bubble");
    const count = editor.querySelector(".bubble-length");
    const limit = Number(editor.dataset.limit);

    const show = () => {
      const items = editor.dataset.items ? labels().join("\n") : "";
      const said = [text.value.trim(), items].filter(Boolean).join("\n\n");
      bubble.replaceChildren(whatsappText(inside(editor.dataset, said)));
      const isTooLong = said.length > limit;
      count.ariaLive = isTooLong ? "polite" : "off"; // Whoever listens to what they type hears no other count.
      count.textContent = `${said.length} of ${limit} characters`;
      count.classList.toggle("too-long", isTooLong);
    };

    text.addEventListener("input", show);
    if (editor.dataset.items) {
      document.addEventListener("input", show);
      document.addEventListener("change", show);
      // A row that was dragged or removed tells nobody but the page; a dragged one has its new
      // place only after the drag's own event.
      const rows = document.getElementById("items-group");
      rows?.addEventListener("end", () => setTimeout(show));
      if (rows) new MutationObserver(show).observe(rows, { childList: true, subtree: true });
    }
    show();
  }
});

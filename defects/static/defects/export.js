// How far an export is, each second; and the choice of formats closes when one is taken.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const choice = document.querySelector("details.export");
  if (choice) {
    choice.addEventListener("submit", () => { choice.open = false; });
    choice.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      choice.open = false;
      choice.querySelector("summary").focus();
    });
    document.addEventListener("click", (event) => {
      if (!choice.contains(event.target)) choice.open = false;
    });
  }

  const shown = document.querySelector("[data-state]");
  if (!shown) return;
  const bar = shown.querySelector("progress");
  const sentence = shown.querySelector(".export-sentence");
  const told = shown.querySelector("[role=status]");
  let toldAt = -Infinity;

  function show(state) {
    bar.max = state.total || 1;
    bar.value = state.done;
    sentence.textContent = state.sentence;
    // Whoever listens is told every ten seconds.
    if (performance.now() - toldAt > 10000 && told.textContent !== state.sentence) {
      told.textContent = state.sentence;
      toldAt = performance.now();
    }
  }

  async function look() {
    try {
      const response = await fetch(shown.dataset.state, { headers: { Accept: "application/json" } });
      if (response.redirected || response.status === 403 || response.status === 404) {
        location.reload();
        return;
      }
      if (response.ok) {
        const state = await response.json();
        if (!state.unfinished) {
          location.reload();
          return;
        }
        show(state);
      }
    } catch {
      // The server is away for a moment: look again.
    }
    setTimeout(look, 1000);
  }
  setTimeout(look, 1000);
});

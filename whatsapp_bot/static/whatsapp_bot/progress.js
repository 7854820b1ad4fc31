// How far long work is, each second, as the address in `data-state` tells.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const shown = document.querySelector("[data-state]");
  if (!shown) return;
  const bar = shown.querySelector("progress");
  const sentence = shown.querySelector(".work-sentence");
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

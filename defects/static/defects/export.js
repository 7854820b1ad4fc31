// The choice of formats closes when one is taken.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const choice = document.querySelector("details.export");
  if (!choice) return;
  choice.addEventListener("submit", () => { choice.open = false; });
  choice.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    choice.open = false;
    choice.querySelector("summary").focus();
  });
  document.addEventListener("click", (event) => {
    if (!choice.contains(event.target)) choice.open = false;
  });
});

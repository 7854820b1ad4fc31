// As light or dark as the admin is, which remembers it in the browser.
"use strict";

const dark = matchMedia("(prefers-color-scheme: dark)");

function follow() {
  const chosen = JSON.parse(localStorage.getItem("_x_adminTheme") || '"auto"');
  const isDark = chosen === "dark" || (chosen === "auto" && dark.matches);
  document.documentElement.classList.toggle("dark-mode", isDark);
}

follow();
dark.addEventListener("change", follow);
addEventListener("storage", follow);

// Paper is white.
(() => {
  const page = document.documentElement;
  let wasDark = false;
  addEventListener("beforeprint", () => {
    wasDark = page.classList.contains("dark");
    page.classList.remove("dark");
  });
  addEventListener("afterprint", () => page.classList.toggle("dark", wasDark));
})();

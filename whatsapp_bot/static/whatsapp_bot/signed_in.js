// Before a page is sent, which is done once: whoever was signed out meanwhile would lose at the sign-in
// what they typed.
"use strict";

{
  const asks = document.currentScript.dataset.asks; // an address for those who are signed in
  const WAIT_FOR = 20000; // ms
  const SIGNED_OUT =
    "You are signed out, so nothing was saved or sent. What you entered is still here: sign in in another tab, then press the button again.";
  const AWAY =
    "The server does not answer, so nothing was saved or sent. What you entered is still here: press the button again in a moment.";
  const NO_ANSWER =
    "This was sent, and no answer has come yet. See in another tab whether it is done before you press the button again: it would be done twice.";
  const CLASSES =
    "mb-6 px-3 py-2.5 rounded-default bg-red-100 text-red-700 dark:bg-red-500/20 dark:text-red-400";

  async function trouble() {
    try {
      const answer = await fetch(asks, {
        cache: "no-store", redirect: "manual", signal: AbortSignal.timeout(WAIT_FOR),
      });
      if (answer.ok) return "";
      return answer.type === "opaqueredirect" ? SIGNED_OUT : AWAY;
    } catch {
      return AWAY;
    }
  }

  function tell(form, sentence) {
    form.querySelector(".not-sent")?.remove();
    if (!sentence) return;
    const told = document.createElement("p");
    told.className = `not-sent ${CLASSES}`;
    told.role = "alert";
    told.textContent = sentence;
    form.prepend(told);
    told.scrollIntoView({ block: "center" });
  }

  // Who has signed in anew has another token than the page that was open before.
  function renewToken(form) {
    const [, token] = document.cookie.match(/(?:^|; )csrftoken=([^;]+)/) ?? [];
    const field = form.elements.csrfmiddlewaretoken;
    if (token && field) field.value = token;
  }

  const underWay = new Map(); // forms, and since when
  const sure = new WeakSet();

  // A button is soon hit twice. After a while the page may have been stopped: the next press counts.
  function pressedAgain(form) {
    if (performance.now() - underWay.get(form) < WAIT_FOR) return;
    underWay.delete(form);
    tell(form, NO_ANSWER);
  }

  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (event.defaultPrevented || !form.matches("#content-main form[method=post]")) return;
    if (sure.delete(form)) return;
    event.preventDefault();
    if (underWay.has(form)) return pressedAgain(form);
    underWay.set(form, performance.now());
    const over = () => underWay.delete(form);
    const sentence = await trouble();
    tell(form, sentence);
    if (sentence) return over();
    renewToken(form);
    sure.add(form);
    form.requestSubmit(event.submitter);
    underWay.set(form, performance.now());
    addEventListener("pagehide", over, { once: true });
    // After a file the page stays.
    if ("bringsFile" in form.dataset) setTimeout(over, WAIT_FOR);
  });
}

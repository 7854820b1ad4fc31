// A conversation stands at its end, or at what the page is about, and brings what was said before.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  // *Bold* is bold, as it was on the phone.
  function mark(talk) {
    for (const said of talk.querySelectorAll(".talk-text[dir]")) {
      said.replaceChildren(whatsappText(said.textContent));
    }
  }

  for (const talk of document.querySelectorAll(".talk-scrolls")) {
    const about = [...talk.querySelectorAll(".talk-about")];
    let moved = false;
    mark(talk);

    const stand = () => {
      if (!moved) talk.scrollTop = about.length ? place(about[0], about.at(-1)) : talk.scrollHeight;
    };
    // Where both are seen, what was asked and its answer; else where the answer is.
    function place(first, last) {
      const top = (bubble) => bubble.offsetTop - talk.offsetTop - 40;
      const bottom = top(last) + 80 + last.offsetHeight - talk.clientHeight;
      return Math.min(top(last), Math.max(top(first), bottom));
    }
    const move = () => { moved = true; };
    for (const way of ["wheel", "touchmove", "keydown", "pointerdown"]) {
      talk.addEventListener(way, move, { passive: true });
    }
    // A picture takes its room when it is there.
    talk.addEventListener("load", stand, true);
    stand();

    talk.addEventListener("click", (event) => {
      const link = event.target.closest(".talk-more:first-child a");
      if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      bring(link);
    });

    async function bring(link) {
      if (link.ariaBusy) return;
      link.ariaBusy = "true";
      link.textContent = "Fetching …";
      try {
        const answer = await fetch(link.href);
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const before = page.querySelector(".talk-scrolls");
        if (before) put(before, link);
        else window.location = link.href;
      } catch {
        link.ariaBusy = null;
        link.textContent = "That did not work. Try again.";
      }
    }

    // What was said before goes above, and what was looked at stays where it is.
    function put(before, link) {
      const below = talk.scrollHeight - talk.scrollTop;
      before.querySelector(".talk-later")?.remove();
      mark(before);
      const days = [...before.querySelectorAll(".talk-day")];
      const next = link.parentElement.nextElementSibling;
      if (next.matches(".talk-day") && next.textContent === days.at(-1)?.textContent) next.remove();
      link.parentElement.replaceWith(...before.children);
      talk.scrollTop = talk.scrollHeight - below;
      (talk.querySelector(".talk-more a") ?? talk).focus({ preventScroll: true });
    }
  }
});

"use strict";

(() => {
  const $ = (id) => document.getElementById(id);
  const urls = document.body.dataset;
  const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
  const [talk, log, box, trouble] = ["talk", "log", "box", "trouble"].map($);

  const LOOK_AGAIN = 4000; // ms between looks for what the bot says by itself
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const TYPE_FOR = still.matches ? 0 : 350; // ms that the bot types at least, so that one can see it
  const WAIT_FOR = 20000; // ms until the server is taken for away
  const KEEP = 60; // exchanges kept for a reload
  const narrow = matchMedia("(max-width: 959px)");
  const touch = matchMedia("(hover: none)");
  const PLACEHOLDERS = {
    text: "Message",
    image: "Add a caption",
    audio: "A voice note has no caption",
    document: "Name of the file, such as drawing.pdf",
    location: "Latitude, longitude: -26.2041, 28.0473",
  };
  const GREETING = /^\W*(hi|hello|hey|start)\W*$/i;

  let person = null;
  let messages = []; // of the chosen person, as shown, oldest first
  let sending = 0;
  let queue = Promise.resolve();
  let attachment = null; // {kind, file, name}
  let visit = 0; // changes with the person, so that late answers know they are late

  // Elements --------------------------------------------------------------------------------------

  function make(tag, className = "", ...children) {
    const element = document.createElement(tag);
    if (className) element.className = className;
    element.append(...children);
    return element;
  }

  function button(className, ...children) {
    const made = make("button", className, ...children);
    made.type = "button";
    return made;
  }

  const icon = (id) => $(id).content.cloneNode(true);

  function say(where, sentence) {
    where.textContent = sentence;
    where.hidden = !sentence;
  }

  function stored(key, otherwise) {
    try {
      return JSON.parse(sessionStorage.getItem(key)) ?? otherwise;
    } catch {
      return otherwise;
    }
  }

  function store(key, value) {
    try {
      sessionStorage.setItem(key, JSON.stringify(value));
    } catch {
      // Full or forbidden: then a reload forgets it.
    }
  }

  // The server ------------------------------------------------------------------------------------

  class Trouble extends Error {
    constructor(sentence, exchange) {
      super(sentence);
      this.exchange = exchange;
    }
  }

  async function request(url, values) {
    const form = new FormData();
    for (const [name, value] of Object.entries(values)) if (value) form.append(name, value);
    try {
      return await fetch(url, {
        method: "POST",
        body: form,
        headers: { "X-CSRFToken": token },
        redirect: "manual",
        signal: AbortSignal.timeout(WAIT_FOR),
      });
    } catch {
      throw new Trouble("The server does not answer. Is it running? What you wrote is still here.");
    }
  }

  async function post(url, values) {
    const response = await request(url, values);
    if (response.type === "opaqueredirect")
      throw new Trouble("You are signed out. Please sign in again in another tab.");
    if (response.status === 403)
      throw new Trouble("The server did not allow that (403). Please reload this page.");
    const answer = await response.json().catch(() => ({}));
    if (!response.ok)
      throw new Trouble(answer.error ?? `The server answered ${response.status}.`, answer.exchange);
    return answer;
  }

  // Messages --------------------------------------------------------------------------------------

  // The lines before, among and after the options 1, 2, 3 … of a text.
  function options(text) {
    const lines = text.split("\n");
    const first = lines.findIndex((line) => line.startsWith("1. "));
    if (first < 0) return null;
    let end = first;
    while (lines[end]?.startsWith(`${end - first + 1}. `)) end++;
    return { before: lines.slice(0, first), among: lines.slice(first, end), after: lines.slice(end) };
  }

  function words(lines) {
    const text = lines.join("\n").trim();
    const element = make("div", "text", whatsappText(text));
    element.dir = "auto";
    return text ? [element] : [];
  }

  function option(line, index) {
    const tap = button("option", whatsappText(line));
    tap.dir = "auto";
    tap.addEventListener("click", () => {
      send(String(index + 1));
      if (!touch.matches) box.focus();
      else talk.focus();
    });
    return tap;
  }

  function showWords(row, live) {
    const found = live && options(row.message.text);
    const parts = found
      ? [...words(found.before), make("div", "options", ...found.among.map(option)), ...words(found.after)]
      : words(row.message.text.split("\n"));
    row.querySelector(".words").replaceChildren(...parts);
  }

  function attached(message) {
    const [file] = message.files;
    if (message.kind === "text") return [];
    if (message.kind === "image" && file) {
      const picture = make("img", "picture");
      picture.src = file;
      picture.alt = "Picture";
      picture.addEventListener("load", () => message.mine && atEnd() && toEnd());
      return [picture];
    }
    const name = message.file_name || message.place.filter(Boolean).join(", ") || message.kind_name;
    const label = make("span", "", name);
    label.dir = "auto";
    const card = make(file ? "a" : "div", `card ${message.kind}`, icon(`icon-${message.kind}`), label);
    if (file) Object.assign(card, { href: file, target: "_blank", rel: "noopener" });
    return [card];
  }

  function meta(message) {
    const line = make("div", "meta", message.time);
    if (message.trouble) line.prepend(make("span", "failed", "could not be handled · "));
    if (message.mine && exchanges[message.sid]) {
      const details = button("link", "details");
      details.setAttribute("aria-label", "Details: what Twilio sent and got");
      details.addEventListener("click", () => openExchange(message.sid, details));
      line.prepend(details);
    }
    if (message.mine) line.append(icon(message.sending ? "one-tick" : "two-ticks"));
    if (message.delivery) line.append(delivery(message.delivery));
    return line;
  }

  // How far a message of the bot is: ticks as on WhatsApp, or a word when nothing is there yet.
  function delivery({ status, words }) {
    const ticks = { sent: "one-tick", delivered: "two-ticks", read: "two-ticks" }[status];
    const made = make("span", `delivery ${status}`, ticks ? icon(ticks) : words.split(":")[0]);
    Object.assign(made, { title: words, role: "img", ariaLabel: words, ariaLive: "off" });
    return made;
  }

  function showDeliveries(deliveries) {
    for (const one of rows()) {
      const { message } = one;
      const news = deliveries[message.id];
      if (!news) continue;
      if (news.words !== message.delivery.words) {
        message.delivery = news;
        one.querySelector(".delivery").replaceWith(delivery(news));
      }
      if (news.text !== message.text) {
        message.text = news.text;
        showWords(one, one.live);
      }
    }
  }

  function row(message) {
    const bubble = make("div", "bubble", ...attached(message), make("div", "words"), meta(message));
    const made = make("div", `row ${message.mine ? "mine" : "theirs"}`, bubble);
    bubble.prepend(make("span", "unseen", message.mine ? `${person.name || "You"}: ` : "Andon: "));
    if (message.mine && !message.sending) made.classList.add("read");
    made.message = message;
    showWords(made, false);
    return made;
  }

  const rows = () => [...log.querySelectorAll(".row")];

  function separateDays() {
    let day = "";
    for (const element of [...log.children]) {
      if (element.classList.contains("day")) {
        element.remove();
      } else if (element.message.day && element.message.day !== day) {
        day = element.message.day;
        element.before(make("div", "day", day));
      }
    }
  }

  function offerTaps() {
    const bots = rows().filter((one) => !one.message.mine);
    for (const one of bots) {
      const live = one === bots.at(-1);
      if (live !== Boolean(one.live)) showWords(one, live);
      one.live = live;
    }
  }

  const atEnd = () => talk.scrollHeight - talk.scrollTop - talk.clientHeight < 160;
  const toEnd = () => (talk.scrollTop = talk.scrollHeight);

  function append(news) {
    const known = new Set(messages.map((message) => message.id));
    news = news.filter((message) => !known.has(message.id));
    if (!news.length) return;
    const follow = atEnd() || news.some((message) => message.mine);
    for (const message of news) {
      if (message.day && message.day !== messages.at(-1)?.day) log.append(make("div", "day", message.day));
      messages.push(message);
      log.append(row(message));
    }
    offerTaps();
    $("start").hidden = true;
    if (follow) toEnd();
  }

  function prepend(olds) {
    const height = talk.scrollHeight;
    log.setAttribute("aria-live", "off");
    log.prepend(...olds.map(row));
    messages.unshift(...olds);
    separateDays();
    offerTaps();
    talk.scrollTop += talk.scrollHeight - height;
    requestAnimationFrame(() => log.setAttribute("aria-live", "polite"));
  }

  function typing(on) {
    sending += on ? 1 : -1;
    $("typing").hidden = !sending;
    $("presence").textContent = sending ? "typing…" : "online";
    if (sending) toEnd();
  }

  // Saying something ------------------------------------------------------------------------------

  function send(text) {
    if (!person) return;
    const kind = attachment?.kind ?? "text";
    const what = { text, kind, file: attachment?.file };
    if (kind === "document") what.text ||= attachment.file?.name ?? "";
    const put = { attachment, whom: person, visit };
    choose(null);
    say(trouble, "");
    const pending = row(asSent(what, put.attachment));
    $("start").hidden = true;
    log.append(pending);
    typing(true);
    queue = queue.then(() => deliver(what, put, pending));
  }

  function asSent(what, chosen) {
    const words = ["text", "image"].includes(what.kind) ? what.text : "";
    const name = chosen?.file?.name ?? (what.text || chosen?.name);
    return {
      mine: true, sending: true, sid: "", text: words, kind: what.kind, kind_name: chosen?.name,
      files: [], file_name: what.kind === "text" ? "" : name, place: [], time: "", day: "",
    };
  }

  async function deliver(what, put, pending) {
    const [answer] = await Promise.all([
      post(urls.say, { ...what, whom: put.whom.address, name: put.whom.name }).catch((error) => error),
      new Promise((done) => setTimeout(done, TYPE_FOR)),
    ]);
    typing(false);
    if (answer.exchange) remember(answer.exchange);
    const here = put.visit === visit;
    if (answer instanceof Error) {
      pending.remove();
      say(trouble, answer.message);
      if (here) putBack(what.text, put.attachment);
    } else if (here) {
      pending.remove();
      append(answer.messages);
    }
    if (here) $("start").hidden = messages.length > 0 || log.children.length > 0;
  }

  function putBack(text, chosen) {
    box.value = [text, box.value].filter(Boolean).join("\n");
    if (chosen && !attachment) choose(chosen);
    grow();
  }

  async function lookAgain() {
    if (!person || sending || document.hidden) return;
    const now = visit;
    try {
      const after = messages.at(-1)?.id ?? 0;
      const answer = await post(urls.history, { whom: person.address, name: person.name, after });
      if (now === visit) showDeliveries(answer.deliveries ?? {});
      if (now === visit && !sending) append(answer.messages);
      if (!sending) $("presence").textContent = "online";
    } catch {
      $("presence").textContent = "no connection";
    }
  }

  // The message box -------------------------------------------------------------------------------

  function grow() {
    box.style.height = "auto";
    box.style.height = `${Math.min(box.scrollHeight, 132)}px`;
    store("draft", box.value);
  }

  function submit() {
    const text = box.value;
    if (!text.trim() && !attachment) return;
    box.value = "";
    send(text);
    grow();
  }

  function choose(chosen) {
    attachment = chosen;
    $("chosen").hidden = !chosen;
    $("chosen-name").textContent = chosen ? (chosen.file?.name ?? chosen.name) : "";
    box.placeholder = PLACEHOLDERS[chosen?.kind ?? "text"];
    box.setAttribute("aria-label", box.placeholder);
  }

  $("composer").addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
    box.focus();
  });
  box.addEventListener("input", grow);
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    submit();
  });
  $("drop").addEventListener("click", () => {
    choose(null);
    box.focus();
  });
  $("say-hi").addEventListener("click", () => {
    send("hi");
    box.focus();
  });

  // Attachments -----------------------------------------------------------------------------------

  const menu = $("attachments");
  const items = [...menu.querySelectorAll("button")];

  function openMenu(open) {
    menu.hidden = !open;
    $("attach").setAttribute("aria-expanded", open);
    (open ? items[0] : $("attach")).focus();
  }

  $("attach").addEventListener("click", () => openMenu(menu.hidden));
  menu.addEventListener("keydown", (event) => {
    const at = items.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
    if (event.key === "Escape" || event.key === "Tab") openMenu(false);
    if (to !== undefined) items.at(to % items.length).focus();
    if (to !== undefined || event.key === "Escape") event.preventDefault();
  });
  document.addEventListener("pointerdown", (event) => {
    if (!menu.hidden && !event.target.closest(".attach")) openMenu(false);
  });
  for (const item of items) {
    item.addEventListener("click", () => {
      openMenu(false);
      if (item.dataset.choose) {
        $("file").accept = item.dataset.choose;
        $("file").click();
      } else {
        choose({ kind: item.dataset.kind, name: item.textContent.trim() });
        box.focus();
      }
    });
  }
  $("file").addEventListener("change", () => {
    const [file] = $("file").files;
    if (file) choose({ kind: file.type === "application/pdf" ? "document" : "image", file, name: file.name });
    $("file").value = "";
    box.focus();
  });

  // People ----------------------------------------------------------------------------------------

  const initial = (one) => [...(one.name || one.address.replace(/\W/g, ""))][0] ?? "?";
  const tone = (one) => `tone${[...one.address].reduce((sum, letter) => sum + letter.charCodeAt(0), 0) % 6}`;

  function avatar(one) {
    const made = make("span", `avatar ${tone(one)}`, initial(one).toUpperCase());
    made.ariaHidden = "true";
    return made;
  }

  function personItem(one) {
    const name = make("strong", "", one.name || one.address);
    name.dir = "auto";
    const about = one.as === "no number" ? "no phone number" : `${one.role}, ${one.address}`;
    const pick = button("person", avatar(one), make("span", "who", name, make("span", "about", about)));
    pick.dataset.address = one.address;
    pick.addEventListener("click", () => {
      closePanel();
      become(one);
      if (!touch.matches) box.focus();
    });
    return make("li", "", pick);
  }

  function markChosen() {
    for (const pick of document.querySelectorAll(".person")) {
      pick.ariaCurrent = String(pick.dataset.address === person?.address);
    }
  }

  async function listPeople() {
    try {
      const answer = await post(urls.people, { words: $("words").value.trim() });
      const fresh = stored("new", []).filter((one) => !answer.found.some((two) => two.address === one.address));
      const shown = $("words").value.trim() ? answer.found : [...fresh, ...answer.found];
      $("cast").replaceChildren(...answer.cast.map(personItem));
      $("found").replaceChildren(...shown.map(personItem));
      $("nobody").hidden = shown.length > 0 || !$("words").value.trim();
      markChosen();
      return answer;
    } catch (error) {
      say(trouble, error.message);
      return null;
    }
  }

  let look;
  $("words").addEventListener("input", () => {
    clearTimeout(look);
    look = setTimeout(listPeople, 150);
  });

  async function become(one) {
    const now = ++visit;
    person = one;
    messages = [];
    log.replaceChildren();
    history.replaceState(null, "", `${location.pathname}#${encodeURIComponent(one.address)}`);
    $("whom").textContent = one.name || one.address;
    $("earlier").hidden = $("start").hidden = true;
    say(trouble, "");
    markChosen();
    log.setAttribute("aria-busy", "true");
    try {
      const answer = await post(urls.history, { whom: one.address, name: one.name });
      if (now !== visit) return;
      person = answer.person;
      $("whom").textContent = person.name || person.address;
      prepend(answer.messages);
      $("earlier").hidden = !answer.earlier;
      $("start").hidden = messages.length > 0 || log.children.length > 0;
      toEnd();
    } catch (error) {
      if (now === visit) say(trouble, error.message);
    }
    log.removeAttribute("aria-busy");
  }

  $("earlier").addEventListener("click", async () => {
    const now = visit;
    try {
      const before = messages[0]?.id;
      const answer = await post(urls.history, { whom: person.address, before });
      if (now !== visit) return;
      prepend(answer.messages);
      $("earlier").hidden = !answer.earlier;
      if (!answer.earlier) talk.focus();
    } catch (error) {
      say(trouble, error.message);
    }
  });

  // Panels: beside the phone, or over it on a narrow screen ----------------------------------------

  let opener = null;

  function openPanel(panel, from) {
    if (!narrow.matches) return;
    opener = from;
    panel.classList.add("open");
    $("phone").inert = true;
    panel.setAttribute("role", "dialog");
    panel.setAttribute("aria-modal", "true");
    panel.querySelector(".close").focus();
  }

  function closePanel() {
    for (const panel of document.querySelectorAll(".panel.open")) {
      panel.classList.remove("open");
      panel.removeAttribute("role");
      panel.removeAttribute("aria-modal");
    }
    $("phone").inert = false;
    opener?.focus();
    opener = null;
  }

  $("open-people").addEventListener("click", (event) => {
    openPanel($("people"), event.currentTarget);
    if (!narrow.matches) $("cast").querySelector("button")?.focus();
  });
  for (const close of document.querySelectorAll(".panel .close")) close.addEventListener("click", closePanel);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && document.querySelector(".panel.open")) closePanel();
  });
  narrow.addEventListener("change", closePanel);

  // What Twilio sent and got ----------------------------------------------------------------------

  let exchanges = stored("exchanges", {});

  function remember(exchange) {
    const all = [...Object.entries(exchanges), [exchange.parameters.MessageSid, exchange]];
    exchanges = Object.fromEntries(all.slice(-KEEP));
    store("exchanges", exchanges);
    showExchange(exchange);
  }

  function table(pairs) {
    const made = make("dl");
    for (const [name, value] of pairs) made.append(make("dt", "", name), make("dd", "", value));
    return made;
  }

  function block(title, ...parts) {
    return make("section", "", make("h3", "", title), ...parts);
  }

  function showExchange(exchange) {
    const good = exchange.status.startsWith("200");
    const status = make("p", `status ${good ? "good" : "bad"}`, exchange.status, make("span", "", `${exchange.ms} ms`));
    const body = make("pre", "", exchange.body.replaceAll("><", ">\n<"));
    body.tabIndex = 0;
    body.ariaLabel = "Body of the answer";
    $("exchange-body").replaceChildren(
      block("Request", make("p", "address", `POST ${exchange.url}`), table(Object.entries(exchange.sent))),
      block("Parameters", table(Object.entries(exchange.parameters))),
      block("Answer", status, table(Object.entries(exchange.got)), body),
    );
    $("exchange-body").hidden = false;
    $("no-exchange").hidden = true;
  }

  function openExchange(sid, from) {
    if (exchanges[sid]) showExchange(exchanges[sid]);
    openPanel($("exchange"), from);
    if (!narrow.matches) $("exchange-body").querySelector("pre")?.scrollIntoView({ block: "nearest" });
  }

  $("open-exchange").addEventListener("click", (event) => {
    openPanel($("exchange"), event.currentTarget);
    if (!narrow.matches) $("exchange").focus();
  });

  // Dialogs ---------------------------------------------------------------------------------------

  for (const cancel of document.querySelectorAll("dialog .cancel")) {
    cancel.addEventListener("click", () => cancel.closest("dialog").close());
  }

  const newPerson = $("new-person");
  $("open-new-person").addEventListener("click", () => {
    newPerson.querySelector("form").reset();
    say(newPerson.querySelector(".trouble"), "");
    newPerson.showModal();
  });
  newPerson.querySelector("form").addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      const one = await post(urls.newPerson, Object.fromEntries(new FormData(event.target)));
      store("new", [one, ...stored("new", [])].slice(0, 20));
      newPerson.close();
      closePanel();
      await become(one);
      listPeople();
      box.focus();
    } catch (error) {
      say(newPerson.querySelector(".trouble"), error.message);
    }
  });

  const script = $("script");
  const begin = script.querySelector("[name=begin]");

  async function previewScript() {
    const problem = script.querySelector(".trouble");
    say(problem, "");
    try {
      const response = await request(urls.script, { whom: person.address, begin: begin.value });
      const text = await response.text();
      if (!response.ok) throw new Trouble(JSON.parse(text).error);
      $("script-text").textContent = text;
    } catch (error) {
      say(problem, error instanceof Trouble ? error.message : "The server did not give the script.");
    }
  }

  function openScript() {
    const mine = messages.filter((message) => message.mine);
    if (!mine.length) {
      closePanel();
      say(trouble, "There is nothing to save yet: say something first.");
      return;
    }
    begin.replaceChildren(
      ...mine.map((message) => new Option(`${message.time}  ${(message.text || message.kind_name).slice(0, 60)}`, message.id)),
    );
    begin.value = (mine.slice(0, -1).findLast((message) => GREETING.test(message.text)) ?? mine[0]).id;
    script.querySelector("[name=whom]").value = person.address;
    script.showModal();
    previewScript();
  }

  for (const open of document.querySelectorAll(".open-script")) open.addEventListener("click", openScript);
  begin.addEventListener("change", previewScript);
  script.querySelector("form").addEventListener("submit", () => setTimeout(() => script.close(), 0));

  // ------------------------------------------------------------------------------------------------

  // A page of the admin may send us here to try something: ?open=draft:hazard
  async function open(address) {
    try {
      await post(urls.open, { whom: person.address, name: person.name, address });
      send("I would like to try the draft");
    } catch (error) {
      say(trouble, error.message);
    }
  }

  async function start() {
    const toOpen = new URLSearchParams(location.search).get("open");
    box.value = stored("draft", "");
    grow();
    const known = await listPeople();
    const address = decodeURIComponent(location.hash.slice(1));
    const everybody = [...(known?.cast ?? []), ...(known?.found ?? []), ...stored("new", [])];
    const one = everybody.find((other) => other.address === address);
    if (one || address) await become(one ?? { address, name: "" });
    else if (known) await become(known.cast[0]);
    if (toOpen) await open(toOpen);
    setInterval(lookAgain, LOOK_AGAIN);
  }

  start();
})();

// WhatsApp's marks as elements: *bold*, _italic_, ~strike~, `code` and ```blocks```.
// Only text nodes hold what people wrote, so nothing of it can become markup.
"use strict";

const whatsappText = (() => {
  const TAGS = { "*": "strong", "_": "em", "~": "s" };
  const WORD = /[\p{L}\p{N}]/u;
  const SPACE = /\s/;

  // A doubled mark, as in __init__, is no mark.
  const single = (text, at) => text[at - 1] !== text[at] && text[at + 1] !== text[at];
  const opens = (text, at) =>
    single(text, at) && !WORD.test(text[at - 1] ?? " ") && !SPACE.test(text[at + 1] ?? " ");
  const closes = (text, at) =>
    single(text, at) && !SPACE.test(text[at - 1]) && !WORD.test(text[at + 1] ?? " ");

  function closing(text, from) {
    for (let at = from + 2; at < text.length; at++) {
      if (text[at] === text[from] && closes(text, at)) return at;
    }
    return -1;
  }

  function element(tag, ...children) {
    const made = document.createElement(tag);
    made.append(...children);
    return made;
  }

  // One line, without code in it.
  function marked(text) {
    const nodes = [];
    const unclosed = new Set();
    let plain = 0;
    for (let at = 0; at < text.length; at++) {
      const mark = text[at];
      if (!(mark in TAGS) || unclosed.has(mark) || !opens(text, at)) continue;
      const end = closing(text, at);
      if (end < 0) {
        unclosed.add(mark);
        continue;
      }
      nodes.push(text.slice(plain, at), element(TAGS[mark], ...marked(text.slice(at + 1, end))));
      at = end;
      plain = end + 1;
    }
    nodes.push(text.slice(plain));
    return nodes.filter((node) => node !== "");
  }

  // One line, with `code` in it.
  function line(text) {
    return text
      .split(/(`[^`\n]+`)/)
      .flatMap((part) =>
        part.length > 2 && part.startsWith("`") ? [element("code", part.slice(1, -1))] : marked(part),
      );
  }

  function lines(text) {
    return text.split("\n").flatMap((one, index) => (index ? ["\n", ...line(one)] : line(one)));
  }

  function whole(text) {
    const made = document.createDocumentFragment();
    for (const part of text.split(/(```[^]+?```)/)) {
      const block = part.length > 6 && part.startsWith("```");
      made.append(...(block ? [element("code", part.slice(3, -3))] : lines(part)));
    }
    return made;
  }

  return whole;
})();

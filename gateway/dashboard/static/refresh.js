// The parts of a page that tell how things are now are fetched again, while the box is checked.
"use strict";

const EVERY = 5000;
const PATIENCE = 30000;

const box = document.getElementById("live");
const notice = document.getElementById("notice");

if (box) {
  box.closest("label").hidden = false;
  setTimeout(look, EVERY);
}

async function look() {
  if (box.checked && !document.hidden) {
    const html = await read(location.href).catch(() => null);
    notice.textContent = html === null ? "not connected" : "";
    if (html !== null) show(new DOMParser().parseFromString(html, "text/html"));
  }
  setTimeout(look, EVERY);
}

async function read(address) {
  const answer = await fetch(address, {
    headers: { Accept: "text/html" },
    signal: AbortSignal.timeout(PATIENCE),
  });
  if (!answer.ok || answer.redirected) throw new Error(answer.statusText);
  return answer.text();
}

function show(page) {
  for (const part of document.querySelectorAll("[data-now]")) {
    const next = page.querySelector(`[data-now="${part.dataset.now}"]`);
    if (!next || isRead(part) || part.innerHTML === next.innerHTML) continue;
    const places = [...part.querySelectorAll(".scroll")].map((frame) => frame.scrollLeft);
    part.replaceChildren(...next.childNodes);
    part.querySelectorAll(".scroll").forEach((frame, at) => (frame.scrollLeft = places[at]));
  }
}

// With the keyboard or the mouse; what was touched or clicked is not read for ever.
function isRead(part) {
  const isPointedAt = matchMedia("(hover: hover)").matches && part.matches(":hover");
  return isPointedAt || part.querySelector(":focus-visible") !== null;
}

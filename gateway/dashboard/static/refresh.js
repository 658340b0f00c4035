// The parts of a page that tell how things are now are fetched again, while the box is checked.
"use strict";

const EVERY = 5000;

const box = document.getElementById("live");
const notice = document.getElementById("notice");

if (box) {
  box.closest("label").hidden = false;
  setInterval(look, EVERY);
}

async function look() {
  if (!box.checked || document.hidden) return;
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } }).catch(() => null);
  const good = answer && answer.ok && !answer.redirected;
  notice.textContent = good ? "" : "not connected";
  if (good) show(new DOMParser().parseFromString(await answer.text(), "text/html"));
}

function show(page) {
  for (const part of document.querySelectorAll("[data-now]")) {
    const next = page.querySelector(`[data-now="${part.dataset.now}"]`);
    // What is being read with the keyboard or the mouse stays as it is.
    if (!next || part.contains(document.activeElement) || part.matches(":hover")) continue;
    if (part.innerHTML !== next.innerHTML) part.replaceChildren(...next.childNodes);
  }
}

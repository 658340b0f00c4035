// New calls appear on top of the first page of the log.
"use strict";

const EVERY = 2000;
const LOST = "not connected";

const rows = document.getElementById("rows");
const box = document.getElementById("live");
const notice = document.getElementById("notice");

if (rows && box) {
  box.closest("label").hidden = false;
  setInterval(look, EVERY);
}

async function look() {
  if (!box.checked || document.hidden) return;
  const answer = await fetch(rows.dataset.source, { headers: { Accept: "text/html" } }).catch(() => null);
  if (!answer || answer.redirected || !answer.ok) {
    notice.textContent = LOST;
    return;
  }
  if (notice.textContent === LOST) notice.textContent = "";
  show(await answer.text());
}

function show(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  const known = new Set([...rows.querySelectorAll("tr")].map((row) => row.dataset.id));
  const fresh = [...template.content.querySelectorAll("tr")].filter((row) => !known.has(row.dataset.id));
  if (fresh.length && rows.tagName !== "TBODY") {
    location.reload(); // the first call of an empty page
    return;
  }
  fresh.forEach((row) => row.classList.add("new"));
  rows.prepend(...fresh);
  while (rows.children.length > Number(rows.dataset.most)) rows.lastElementChild.remove();
  if (fresh.length) notice.textContent = `${fresh.length} new`;
}

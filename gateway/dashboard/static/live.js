// New calls appear on top of the first page of the log.
"use strict";

const EVERY = 2000;
const PATIENCE = 30000;
const LOST = "not connected";

const rows = document.getElementById("rows");
const box = document.getElementById("live");
const notice = document.getElementById("notice");

if (rows && box) {
  box.closest("label").hidden = false;
  setTimeout(look, EVERY);
}

async function look() {
  if (box.checked && !document.hidden) {
    const html = await read(rows.dataset.source).catch(() => null);
    if (html === null) notice.textContent = LOST;
    else show(html);
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
  else if (notice.textContent === LOST) notice.textContent = "";
}

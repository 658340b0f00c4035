// While the box is checked the page is fetched again and again. The parts that tell how things are now
// are replaced; the log gets what is new, and loses what is gone.
"use strict";

const PATIENCE = 30000;

const box = document.getElementById("live");
const notice = document.getElementById("notice");
const rows = document.getElementById("rows");
const every = rows ? 2000 : 5000;
let added = 0;
let more = "";

if (box) {
  box.closest("label").hidden = false;
  setTimeout(look, every);
}

async function look() {
  if (box.checked && !document.hidden) tell(await follow().catch(() => "not connected"));
  setTimeout(look, every);
}

// Only what is new, or a screen reader would say it again and again.
function tell(text) {
  if (notice.textContent !== text) notice.textContent = text;
}

async function follow() {
  const answer = await fetch(location.href, {
    headers: { Accept: "text/html" },
    signal: AbortSignal.timeout(PATIENCE),
  });
  if (answer.redirected) return "signed out";
  if (!answer.ok) return `error ${answer.status}`;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  replaceParts(page);
  return rows ? addRows(page.querySelectorAll("#rows > tr")) : "";
}

function addRows(latest) {
  if (rows.tagName !== "TBODY") {
    if (latest.length) location.reload(); // the first call of an empty page
    return "";
  }
  const listed = new Set([...latest].map((row) => row.dataset.id));
  for (const row of [...rows.children]) if (!listed.has(row.dataset.id)) row.remove();
  const kept = rows.children.length;
  for (const [at, row] of latest.entries()) {
    const here = rows.children[at];
    if (here?.dataset.id === row.dataset.id) continue;
    rows.insertBefore(row, here ?? null); // a call that took long began before others on the page
    if (kept && !here) continue; // an older one, which has moved up as another was erased
    row.classList.add("new");
    added += 1;
  }
  // Nothing of before is left on the page: others may have come and gone between two looks.
  if (latest.length && !kept) more = " or more";
  return added ? `${added}${more} new` : "";
}

function replaceParts(page) {
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

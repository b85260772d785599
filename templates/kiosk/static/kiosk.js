// Makes the pages live: follows /events, changes only what differs (so that focus, pictures and counts stay),
// says changes politely, counts and types for the hand. Without it every page still works as plain forms.
"use strict";

const root = document.documentElement;
root.classList.add("scripted");

// -- the page follows the journey -----------------------------------------------------------------------------

const counts = new Map(); // containers counted so far, by row; forgotten when the screen changes

function sameKind(a, b) {
  return a.nodeType === b.nodeType && a.nodeName === b.nodeName && (a.id || "") === (b.id || "");
}

function morph(old, fresh) {
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
    return;
  }
  if (old.hasAttribute("data-keep") && fresh.hasAttribute("data-keep")) return;
  const opened = old.matches("details") ? "open" : ""; // what the traveller unfolded stays so
  for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name) && name !== opened) old.removeAttribute(name);
  for (const { name, value } of [...fresh.attributes]) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  if (old.matches("input, select, textarea")) {
    if (old.type === "hidden") old.value = fresh.value;
    if (old.matches("select")) return; // the traveller's own choice stays
  }
  const before = [...old.childNodes];
  const after = [...fresh.childNodes];
  after.forEach((node, index) => {
    const here = before[index];
    if (!here) old.append(node);
    else if (sameKind(here, node)) morph(here, node);
    else here.replaceWith(node);
  });
  before.slice(after.length).forEach((node) => node.remove());
}

function show(html) {
  const page = new DOMParser().parseFromString(html, "text/html");
  const fresh = page.documentElement;
  const moved = root.dataset.screen !== fresh.dataset.screen || root.lang !== fresh.lang;
  const hadError = document.getElementById("error") !== null;
  if (root.dataset.screen !== fresh.dataset.screen) counts.clear();
  for (const { name } of [...root.attributes]) if (name !== "class" && !fresh.hasAttribute(name)) root.removeAttribute(name);
  for (const { name, value } of [...fresh.attributes]) if (name !== "class") root.setAttribute(name, value);
  document.title = page.title;
  if (moved) {
    const announcer = document.getElementById("announcer");
    document.body.replaceChildren(...page.body.childNodes);
    document.getElementById("announcer")?.replaceWith(announcer);
  } else {
    page.getElementById("announcer")?.replaceChildren(...document.getElementById("announcer").childNodes);
    morph(document.body, page.body);
  }
  ready();
  const error = document.getElementById("error");
  const dialog = document.querySelector("[role=alertdialog]");
  if (dialog) {
    if (!dialog.contains(document.activeElement)) {
      dialog.querySelector("button").focus();
      play(dialog.dataset.speak);
    }
  } else if (error && !hadError) error.focus();
  else if (moved) document.getElementById("heading")?.focus();
}

let underWay = null; // the look at the present screen that is being taken
let next = null; // the one that is taken after it, for what happened meanwhile

// Resolves when a screen is shown that was asked for after this call: until then a touch falls on an old one.
function refresh() {
  if (underWay) {
    next ??= underWay.then(() => {
      next = null;
      return refresh();
    });
    return next;
  }
  underWay = look().finally(() => {
    underWay = null;
  });
  return underWay;
}

async function look() {
  try {
    const answer = await fetch(location.pathname + location.search, { headers: { Accept: "text/html" } });
    if (answer.ok) show(await answer.text());
  } catch {
    // The kiosk's service restarts: EventSource tries again by itself, and so do we with it.
  }
}

if (root.hasAttribute("data-live")) {
  const events = new EventSource("/events");
  events.onmessage = (event) => {
    if (event.data !== root.dataset.revision) refresh();
  };
  // Coming back after a break: something may have happened meanwhile.
  events.onopen = refresh;
}

// -- touches ----------------------------------------------------------------------------------------------------

async function post(address, data) {
  const answer = await fetch(address, {
    method: "POST",
    headers: { Accept: "application/json" },
    body: new URLSearchParams(data),
  });
  if (location.search && answer.ok) history.replaceState(null, "", location.pathname);
  await refresh();
}

// The second half of a double touch falls on whatever the next page has in that place, perhaps a legal answer: it
// counts only on the page that the first half fell on.
const DOUBLE_MS = 600;
const DOUBLE_PX = 80;
let touched = { at: -DOUBLE_MS, x: 0, y: 0, page: "" };

document.addEventListener(
  "click",
  (event) => {
    if (event.detail === 0) return; // a key, not a touch
    const last = touched;
    const near = Math.hypot(event.clientX - last.x, event.clientY - last.y) < DOUBLE_PX;
    const page = root.dataset.screen + document.getElementById("heading")?.textContent;
    touched = { at: event.timeStamp, x: event.clientX, y: event.clientY, page };
    if (near && event.timeStamp - last.at < DOUBLE_MS && last.page !== page) {
      event.preventDefault();
      event.stopPropagation();
    }
  },
  true,
);

const asked = new Set(); // answers whose next screen is not shown yet

document.addEventListener("submit", (event) => {
  if (!root.hasAttribute("data-live")) return;
  event.preventDefault();
  clearTimeout(recounting);
  const form = event.target;
  const data = new FormData(form, event.submitter);
  const what = form.getAttribute("action") + new URLSearchParams(data);
  if (asked.has(what)) return; // the same answer twice is one answer
  asked.add(what);
  post(form.getAttribute("action"), data)
    .catch(() => form.submit())
    .finally(() => asked.delete(what));
});

document.addEventListener("click", (event) => {
  const listen = event.target.closest("[data-speech]");
  if (listen) {
    event.preventDefault();
    play(listen.dataset.speech);
  }
  const key = event.target.closest("[data-key]");
  if (key) type(key.dataset.key);
  const step = event.target.closest(".step");
  if (step && !step.disabled) count(step);
  if (event.target.closest("[data-swap]")) {
    for (const rows of document.querySelectorAll("[data-letters]")) rows.hidden = !rows.hidden;
  }
});

// A result that is touched is being read: it stays.
document.addEventListener("pointerdown", (event) => {
  if (root.hasAttribute("data-live") && document.querySelector("[data-stay]") && !event.target.closest("a, button")) {
    const token = document.querySelector("[name=csrf_token]");
    post("/action/more_time", token ? { csrf_token: token.value } : {}).catch(() => {});
  }
});

// -- amounts ----------------------------------------------------------------------------------------------------

let recounting;
let field; // the number field that the keys write to

function recount() {
  const form = document.querySelector("[data-recount]");
  if (!form || !root.hasAttribute("data-live")) return;
  clearTimeout(recounting);
  recounting = setTimeout(() => post(form.dataset.recount, new FormData(form)).catch(() => {}), 350);
}

function type(key) {
  field = field?.isConnected ? field : document.querySelector("[data-pad]");
  if (!field) return;
  if (field.hasAttribute("data-words")) {
    write(key);
    return;
  }
  if (key === "delete") field.value = field.value.slice(0, -1);
  else if (field.value.length < field.maxLength && !(key === "." && field.value.includes("."))) field.value += key;
  recount();
}

// Words are typed where the cursor is; a letter that begins a word is a capital, as in names and streets.
function write(key) {
  const from = field.selectionStart ?? field.value.length;
  const to = field.selectionEnd ?? from;
  if (key === "delete") {
    field.setRangeText("", from === to ? Math.max(0, from - 1) : from, to, "end");
  } else if (field.value.length - (to - from) < field.maxLength) {
    const begins = from === 0 || field.value[from - 1] === " ";
    field.setRangeText(begins ? key.toLocaleUpperCase(root.lang) : key, from, to, "end");
  }
}

document.addEventListener("focusin", (event) => {
  if (event.target.matches("[data-pad]")) field = event.target;
});

document.addEventListener("input", (event) => {
  if (event.target.matches("[data-pad]")) recount();
  if (event.target.matches("[data-size]")) sums(event.target.closest("[data-counter]"));
});

function sums(counter) {
  let total = 0;
  for (const row of counter.querySelectorAll("[data-row]")) {
    const number = counts.get(counter.id + row.dataset.row) || 0;
    const part = number * Number(row.querySelector("[data-size]").value);
    total += part;
    row.querySelector("[data-count]").textContent = number;
    row.querySelector("[data-less]").disabled = number === 0;
    const sum = row.querySelector("[data-sum]");
    sum.textContent = sum.dataset.form.replace("#", String(Math.round(part * 100) / 100));
  }
  const into = document.getElementById(counter.dataset.counter);
  const text = String(Math.round(total * 1000) / 1000);
  if (into.value !== text) {
    into.value = text;
    recount();
  }
}

function count(step) {
  const row = step.closest("[data-row]");
  const counter = step.closest("[data-counter]");
  const name = counter.id + row.dataset.row;
  const number = (counts.get(name) || 0) + (step.hasAttribute("data-more") ? 1 : -1);
  root.classList.add("counting");
  counts.set(name, Math.min(999, Math.max(0, number)));
  sums(counter);
  if (step.disabled) row.querySelector("[data-more]").focus(); // nobody loses the place at zero
}

// Holding a step repeats it.
let holding;
document.addEventListener("pointerdown", (event) => {
  const step = event.target.closest(".step");
  if (!step) return;
  holding = setTimeout(function repeat() {
    if (!step.isConnected || step.disabled) return;
    count(step);
    holding = setTimeout(repeat, 160);
  }, 600);
});
for (const name of ["pointerup", "pointercancel", "pointerleave"]) document.addEventListener(name, () => clearTimeout(holding));

// -- the ear ----------------------------------------------------------------------------------------------------

let voice;

function play(addresses) {
  voice?.pause();
  const queue = (addresses || "").split(" ").filter(Boolean);
  const next = () => {
    const address = queue.shift();
    if (!address) return;
    voice = new Audio(address);
    voice.onended = next;
    voice.play().catch(() => {});
  };
  next();
}

// Changes are said politely, at most one per second, the last one winning.
let said = new Map();
let waiting = "";
let speaking;

function announce() {
  const fresh = new Map();
  for (const element of document.querySelectorAll("[data-announce]")) {
    const words = element.textContent.trim();
    fresh.set(words, true);
    if (!said.has(words)) waiting = words;
  }
  const first = said.size === 0;
  said = fresh;
  if (first || !waiting || speaking) return;
  const speak = () => {
    const announcer = document.getElementById("announcer");
    if (announcer && waiting) announcer.textContent = waiting;
    speaking = waiting ? setTimeout(speak, 1000) : undefined;
    waiting = "";
  };
  speak();
}

// -- small things -------------------------------------------------------------------------------------------------

function clock() {
  const time = document.querySelector("[data-clock]");
  if (!time) return;
  const now = new Date().toLocaleTimeString("en-GB", {
    hour: "2-digit", minute: "2-digit", timeZone: time.dataset.timezone,
  });
  if (time.lastChild.nodeValue !== now) time.lastChild.nodeValue = now;
}

let turn = 0;

function greet() {
  const title = document.querySelector("[data-cycle]");
  if (!title || !root.hasAttribute("data-live") || document.activeElement?.matches("button, a")) return;
  const words = title.dataset.cycle.split("|");
  turn = (turn + 1) % words.length;
  title.textContent = words[turn];
}

function countDown() {
  const left = document.querySelector(".timeout-count");
  if (left && Number(left.textContent) > 0) left.textContent = Number(left.textContent) - 1;
}

// What scrolls can be reached by keys.
function reachable() {
  const main = document.getElementById("main");
  if (main.scrollHeight > main.clientHeight + 1) main.tabIndex = 0;
  else main.removeAttribute("tabindex");
}

function ready() {
  announce();
  reachable();
  // Who comes back to an amount finds the number; who starts counts by bottle or packet.
  const counter = document.querySelector("[data-counter]");
  if (!counter) return;
  const given = Number(document.getElementById(counter.dataset.counter).value) > 0;
  root.classList.toggle("counting", counts.size > 0 || !given);
  if (counts.size) sums(counter);
}

document.fonts.ready.then(reachable);
setInterval(clock, 5000);
setInterval(greet, 4000);
setInterval(countDown, 1000);
ready();

"use strict";
// The console's script: clock, waiting times, the live stream, keyboard. Every page works without it.

const page = document;

// Clock and waiting times: words change in place, once a second.
const clock = page.querySelector("time.clock");
function duration(seconds) {
  const total = Math.max(Math.floor(seconds), 0);
  const two = (number) => String(number).padStart(2, "0");
  const hours = Math.floor(total / 3600);
  const rest = `${two(Math.floor((total % 3600) / 60))}:${two(total % 60)}`;
  return hours ? `${hours}:${rest}` : rest;
}
function tick() {
  const now = new Date();
  if (clock) {
    clock.textContent = new Intl.DateTimeFormat("en-GB", {
      hour: "2-digit", minute: "2-digit", timeZone: clock.dataset.timezone,
    }).format(now);
  }
  for (const place of page.querySelectorAll("[data-since]")) {
    place.textContent = duration((now - new Date(place.dataset.since)) / 1000);
  }
}
setInterval(tick, 1000);

// Live: new cases gather in the amber button; rows never move by themselves.
const gathered = page.getElementById("new-cases");
const link = page.getElementById("link");
function showLink(up) {
  if (!link) return;
  link.hidden = false;
  link.querySelector("span").textContent = up ? link.dataset.up : link.dataset.down;
  link.querySelector("use").setAttribute("href", `/assets/icons.svg#${up ? "wifi" : "wifi-off"}`);
  link.classList.toggle("pill--amber", !up);
  const live = page.getElementById("live");
  if (live) live.hidden = !up;
}
if (gathered) {
  const fresh = new Set();
  const button = gathered.querySelector("a");
  const rule = new Intl.PluralRules(page.documentElement.lang);
  const forms = JSON.parse(gathered.dataset.forms);
  const stream = new EventSource("/officer/events");
  stream.addEventListener("open", () => showLink(true));
  stream.addEventListener("error", () => showLink(false));
  const arrived = (event) => {
    const record = JSON.parse(event.data).record_id;
    if (!record || page.querySelector(`[data-case="${CSS.escape(record)}"]`)) return;
    fresh.add(record);
    const form = forms[rule.select(fresh.size)] || forms.other;
    button.querySelector("span").textContent = form.replace("#", fresh.size);
    button.hidden = false;
  };
  stream.addEventListener("referral", arrived);
  addEventListener("pagehide", () => stream.close());
}

// Keyboard.
const rows = [...page.querySelectorAll("[data-queue] .case")];
let current = -1;
function move(step) {
  if (!rows.length) return;
  rows[current]?.removeAttribute("data-current");
  current = Math.min(Math.max(current + step, 0), rows.length - 1);
  rows[current].setAttribute("data-current", "");
  rows[current].querySelector("a.main").focus();
}
for (const [index, row] of rows.entries()) {
  row.addEventListener("focusin", () => {
    rows[current]?.removeAttribute("data-current");
    current = index;
    row.setAttribute("data-current", "");
  });
}
const dialog = page.getElementById("keys");
addEventListener("keydown", (event) => {
  if (page.body.dataset.keys === "off") return;
  if (event.ctrlKey || event.altKey || event.metaKey || dialog?.open) return;
  if (event.target.closest("input:not([type=radio]), textarea, select")) return;
  const key = event.key.toLowerCase();
  if (key === "j") move(1);
  else if (key === "k") move(-1);
  else if (key === "c") rows[current]?.querySelector("[data-claim]")?.click();
  else if (key === "n" && gathered && !gathered.querySelector("a").hidden) gathered.querySelector("a").click();
  else if (key === "?") dialog?.showModal();
  else if (key === "s") page.querySelector("[data-sign]")?.focus();
  else if (/^[1-9]$/.test(key)) {
    const choice = page.querySelector(`[data-key="${key}"]`);
    if (!choice) return;
    choice.click();
    choice.focus();
  } else return;
  event.preventDefault();
});

// What an outcome asks for shows only with it; without the script everything shows.
const decision = page.querySelector("form.decide");
if (decision) {
  const show = () => {
    const chosen = decision.querySelector("[name=outcome]:checked");
    for (const part of decision.querySelectorAll("[data-for]")) {
      part.hidden = !chosen || !part.dataset.for.split(" ").includes(chosen.value);
    }
    const select = decision.querySelector("[name=reason_code]");
    for (const group of select.querySelectorAll("optgroup")) {
      const off = Boolean(chosen) && group.dataset.outcome !== chosen.value;
      group.hidden = off;
      group.disabled = off;
      if (off && group.querySelector(":checked")) select.value = "";
    }
  };
  decision.addEventListener("change", show);
  show();
}

// The exit's scanner types and presses Enter: keep the field ready.
page.querySelector(".exit-form input[name=receipt]")?.focus();
page.querySelector(".message--error")?.focus();

// A count that runs: its words and bar follow it, and the page comes again when it has ended.
const counting = page.querySelector("[data-progress]");
if (counting) {
  const bar = counting.querySelector("progress");
  const said = counting.querySelector("[data-progress-words]");
  const follow = async () => {
    const answer = await fetch(counting.dataset.progress).then((one) => one.json()).catch(() => null);
    if (answer && !answer.running) {
      location.reload();
      return;
    }
    if (answer) {
      bar.max = Math.max(answer.total, 1);
      bar.value = answer.done;
      said.textContent = answer.says;
    }
    setTimeout(follow, 1500);
  };
  setTimeout(follow, 1500);
}

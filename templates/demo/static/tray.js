// Keeps the panel "At the kiosk" and the chosen card true, without loading the page anew.
"use strict";

const panel = document.getElementById("now");
let tag = "";

function mark() {
  const here = panel.querySelector("[data-here]")?.dataset.here;
  for (const person of document.querySelectorAll("[data-story]")) {
    const chosen = person.dataset.story === here;
    person.classList.toggle("person--here", chosen);
    if (chosen) person.setAttribute("aria-current", "true");
    else person.removeAttribute("aria-current");
  }
}

async function look() {
  try {
    const answer = await fetch("/now", { cache: "no-store" });
    if (answer.ok && answer.headers.get("ETag") !== tag) {
      tag = answer.headers.get("ETag");
      panel.innerHTML = await answer.text();
      mark();
    }
  } catch {
    if (tag !== "stopped") panel.textContent = "The demonstration has stopped.";
    tag = "stopped";
  }
  setTimeout(look, 500);
}

// A touch sends without leaving the page, so that nobody loses the place in the list.
document.addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  const button = event.submitter;
  const buttons = document.querySelectorAll("button");
  const words = new FormData(form);
  for (const each of buttons) each.setAttribute("aria-disabled", "true");
  try {
    await fetch(button?.getAttribute("formaction") || form.action, { method: "POST", body: words });
  } catch {
    panel.textContent = "The demonstration has stopped.";
  }
  for (const each of buttons) each.removeAttribute("aria-disabled");
});

mark();
look();

// Keeps the line "At the kiosk" true without reloading the page.
"use strict";
const line = document.getElementById("now");
setInterval(async () => {
  try {
    const answer = await fetch("/now");
    const now = await answer.json();
    if ((now.traveller || "") !== line.dataset.chosen) location.reload();
  } catch {
    line.textContent = "The demonstration has stopped.";
  }
}, 2000);

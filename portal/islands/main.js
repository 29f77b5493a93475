// On every page: the key list behind «?», error summary focus, text kept while the language changes, double-press guard.
import { keepText, restoreText } from "./lib/drafts.js";

const typing = (target) => target.matches("input:not([type=radio]):not([type=checkbox]), textarea, select, [contenteditable]");

document.addEventListener("keydown", (event) => {
  if (event.key !== "?" || typing(event.target) || event.ctrlKey || event.metaKey) return;
  const dialog = document.getElementById("keys");
  dialog.hidden = false;
  dialog.open ? dialog.close() : dialog.showModal();
  event.preventDefault();
});

const summary = document.querySelector(".govuk-error-summary");
if (summary) {
  summary.tabIndex = -1;
  summary.focus();
}

// What was just done is read out where the reading goes on; said once, not again when the page is loaded anew.
const here = new URL(location);
if (here.searchParams.has("done")) {
  if (!summary && !here.hash) document.querySelector("[data-told]")?.focus();
  here.searchParams.delete("done");
  history.replaceState(history.state, "", here);
}

for (const link of document.querySelectorAll("[data-keeps-text]")) {
  link.addEventListener("click", keepText);
}
restoreText();

for (const element of document.querySelectorAll("[data-only-js]")) element.hidden = false;

const pressed = new WeakMap();
document.addEventListener("submit", (event) => {
  const button = event.submitter;
  if (!button?.dataset.preventDoubleClick) return;
  const now = Date.now();
  if (now - (pressed.get(button) ?? 0) < 1000) event.preventDefault();
  pressed.set(button, now);
});

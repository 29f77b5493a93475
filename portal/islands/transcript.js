// The transcript desk: play from a word, follow the sound, save corrections within two seconds, never lose text.
import { keys, player } from "./lib/player.js";

const QUIET_MS = 1200;
const list = document.querySelector("[data-turns]");
const words = JSON.parse(list?.dataset.words ?? "{}");
const turns = [...document.querySelectorAll("[data-turn]")];
const desk = player(turns);
const fill = (key, values) => words[key].replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
const timeOfDay = (date) => date.toLocaleTimeString("ru-RU", { hour12: false });

// One stop in the tab order per turn; inside a turn the arrows move from word to word.
for (const turn of turns) {
  const spoken = [...turn.querySelectorAll(".turn__text [data-at]")];
  spoken.forEach((word, index) => {
    word.tabIndex = index === 0 ? 0 : -1;
    word.setAttribute("role", "button");
    word.classList.add("word--focus");
    word.addEventListener("keydown", (event) => {
      const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      const next = by && spoken[index + by];
      if (!next) return;
      event.preventDefault();
      word.tabIndex = -1;
      next.tabIndex = 0;
      next.focus();
    });
  });
}
document.addEventListener("click", (event) => {
  const word = event.target.closest("[data-at]");
  if (word && desk) desk.from(Number(word.dataset.at));
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !event.target.matches?.("span[data-at]")) return;
  event.preventDefault();
  desk?.from(Number(event.target.dataset.at));
});

const edit = () => {
  const details = (desk?.playing() ?? document.activeElement?.closest("[data-turn]") ?? turns[0])?.querySelector("details");
  if (!details) return;
  details.open = true;
  details.querySelector("textarea").focus();
};
if (desk) {
  keys({
    k: desk.acts.play, j: desk.acts.back, l: desk.acts.forward, p: desk.acts.previous, n: desk.acts.next,
    "<": desk.acts.slower, ">": desk.acts.faster, e: edit,
  });
}

// Saving is one queue for the whole page: each save carries the revision the one before it made.
let revision = list?.dataset.revision;
let chain = Promise.resolve();
const storeKey = (form) => `dalel-turn:${new URL(form.action).pathname}`;

function say(form, text, bad = false) {
  const line = form.querySelector("[data-saved]");
  line.textContent = text;
  line.classList.toggle("turn__saved--bad", bad);
}

async function save(form) {
  const { text: area, speaker } = form.elements;
  if (area.value === area.dataset.kept && speaker.value === speaker.dataset.kept) return;
  const [sent, who] = [area.value, speaker.value];
  say(form, words["transcript.saving"]);
  try {
    const body = new URLSearchParams({ text: sent, speaker: who, revision, csrf_token: form.elements.csrf_token.value });
    const answer = await fetch(form.action, {
      method: "POST",
      body,
      headers: { Accept: "application/json", "X-CSRF-Token": form.elements.csrf_token.value },
    });
    const told = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Error(told.detail ?? told.title ?? `HTTP ${answer.status}`);
    area.dataset.kept = sent;
    speaker.dataset.kept = who;
    if (who.trim()) form.closest("[data-turn]").querySelector(".turn__speaker").textContent = who.trim();
    revision = String(told.revision ?? revision);
    for (const field of document.querySelectorAll("[name=revision]")) field.value = revision;
    for (const field of document.querySelectorAll("[name=sha256]")) field.value = told.sha256 ?? field.value;
    localStorage.removeItem(storeKey(form));
    say(form, fill("transcript.saved", { at: timeOfDay(told.saved_at ? new Date(told.saved_at) : new Date()) }));
  } catch (fault) {
    localStorage.setItem(storeKey(form), sent);
    const why = fault instanceof TypeError ? words["transcript.kept"] : `${fault.message.replace(/\.$/, "")}.`;
    say(form, fill("transcript.not_saved", { why }), true);
  }
}

const waiting = new Map();
const soon = (form, wait) => {
  clearTimeout(waiting.get(form));
  waiting.set(form, setTimeout(() => {
    waiting.delete(form);
    chain = chain.then(() => save(form));
  }, wait));
};
for (const form of document.querySelectorAll("[data-turn-form]")) {
  const area = form.elements.text;
  const { speaker } = form.elements;
  area.dataset.kept = area.value;
  speaker.dataset.kept = speaker.value;
  form.querySelector("[data-save]").hidden = true;
  const kept = localStorage.getItem(storeKey(form));
  if (kept !== null && kept !== area.value) {
    area.value = kept;
    form.closest("details").open = true;
    say(form, words["transcript.offer_back"], true);
  }
  for (const field of [area, speaker]) {
    field.addEventListener("input", () => soon(form, QUIET_MS));
    field.addEventListener("blur", () => soon(form, 0));
  }
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    soon(form, 0);
  });
}
addEventListener("beforeunload", (event) => {
  if (waiting.size) event.preventDefault();
});

// The redaction desk: keys for deciding, a live tally, a ground asked for at once, words picked by dragging or by two presses.
import { keys, player } from "./lib/player.js";

const desk = player([...document.querySelectorAll(".turn[data-start]")]);
const words = JSON.parse(document.querySelector("[data-tally]")?.dataset.words ?? "{}");
const fill = (key, values) => words[key].replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
const items = [...document.querySelectorAll("[data-suggestion]")];
let lastReason = "";

const radio = (item, value) => item.querySelector(`input[value=${value}]`);
function decide(item, value) {
  if (!item || item.querySelector("fieldset").disabled) return;
  radio(item, value).checked = true;
  const reason = item.querySelector("select");
  if (value === "accept" && !reason.value && lastReason) reason.value = lastReason;
  refresh(item);
}
function refresh(item) {
  const state = radio(item, "accept").checked ? "accepted" : radio(item, "reject").checked ? "rejected" : "open";
  item.classList.remove("suggestion--open", "suggestion--accepted", "suggestion--rejected");
  item.classList.add(`suggestion--${state}`);
  item.querySelector("select").required = state === "accepted";
  for (const box of document.querySelectorAll("[data-count]")) {
    const wanted = `suggestion--${box.dataset.count}`;
    box.textContent = items.filter((each) => each.classList.contains(wanted)).length;
  }
}
for (const item of items) {
  item.addEventListener("change", (event) => {
    if (event.target.tagName === "SELECT") {
      lastReason = event.target.value;
      if (event.target.value) radio(item, "accept").checked = true;
    } else if (event.target.value === "accept") decide(item, "accept");
    refresh(item);
  });
}
document.addEventListener("click", (event) => {
  const play = event.target.closest("[data-at]");
  if (play && desk) desk.from(Number(play.dataset.at));
});
for (const button of document.querySelectorAll("[data-accept-group]")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    const group = [...button.closest(".entity").querySelectorAll("[data-suggestion]")];
    const reason = group.map((item) => item.querySelector("select").value).find(Boolean);
    if (reason) lastReason = reason;
    for (const item of group) decide(item, "accept");
    group.find((item) => !item.querySelector("select").value)?.querySelector("select").focus();
  });
}
const here = () => items.indexOf(document.activeElement?.closest("[data-suggestion]"));
const go = (by) => {
  const index = here() < 0 ? 0 : here() + by;
  items[Math.min(items.length - 1, Math.max(0, index))]?.focus();
};
const decideAndGo = (value) => {
  const item = items[here()];
  if (!item) return go(1);
  decide(item, value);
  if (value === "accept" && !item.querySelector("select").value) return item.querySelector("select").focus();
  return go(1);
};
keys({
  n: () => go(1), p: () => go(-1), a: () => decideAndGo("accept"), r: () => decideAndGo("reject"),
  ...(desk ? { k: desk.acts.play, j: desk.acts.back, l: desk.acts.forward } : {}),
});

// Adding: press the first word, then the last; or drag over them. The number fields stay the truth.
const adding = document.querySelector("[data-add]");
const numbered = [...(adding?.querySelectorAll("[data-number]") ?? [])];
if (numbered.length) {
  const [first, last] = [adding.elements.first, adding.elements.last];
  const told = adding.querySelector("[data-picked]");
  const show = () => {
    const [low, high] = [Number(first.value), Number(last.value || first.value)];
    const picked = numbered.filter((word) => Number(word.dataset.number) >= low && Number(word.dataset.number) <= high);
    for (const word of numbered) word.classList.toggle("word--picked", picked.includes(word));
    told.textContent = picked.length
      ? fill("redaction.picked", { text: picked.map((word) => word.textContent).join(" ") })
      : words["redaction.pick_none"];
  };
  let anchor = null;
  const pick = (word, extend) => {
    const number = Number(word.dataset.number);
    if (!extend || anchor === null) anchor = number;
    first.value = Math.min(anchor, number);
    last.value = Math.max(anchor, number);
    show();
  };
  let dragging = false;
  let settled = true;
  numbered.forEach((word, index) => {
    word.tabIndex = index === 0 ? 0 : -1;
    word.setAttribute("role", "button");
    word.classList.add("word--focus");
    word.addEventListener("pointerdown", (event) => {
      dragging = true;
      settled = event.shiftKey ? settled : !settled;
      pick(word, event.shiftKey || settled);
    });
    word.addEventListener("pointerenter", () => {
      if (!dragging) return;
      settled = true;
      pick(word, true);
    });
    word.addEventListener("keydown", (event) => {
      const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (event.key === "Enter" || event.key === " ") {
        event.preventDefault();
        settled = !settled;
        pick(word, settled);
      } else if (by && numbered[index + by]) {
        event.preventDefault();
        numbered[index + by].focus();
        if (event.shiftKey) pick(numbered[index + by], true);
      }
    });
  });
  addEventListener("pointerup", () => { dragging = false; });
  for (const field of [first, last]) field.addEventListener("input", show);
}

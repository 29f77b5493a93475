// The player shared by the desks: keys, speed, seeking, following the turn that plays.
const STEP_S = 5;

export const clock = (seconds) => {
  const whole = Math.max(0, Math.floor(seconds));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (n) => String(n).padStart(2, "0");
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
};

export const typing = (target) =>
  target.matches?.("input:not([type=radio]):not([type=checkbox]), textarea, select, [contenteditable]") ?? false;

/** `turns` are elements with data-start and data-end in milliseconds. Returns null on a page without sound. */
export function player(turns) {
  const root = document.querySelector("[data-player]");
  if (!root) return null;
  const audio = root.querySelector("audio");
  const speed = root.querySelector("[data-speed]");
  const label = root.querySelector("[data-label]");
  const now = root.querySelector("[data-now]");
  root.querySelector("[data-controls]").hidden = false;
  let playing = null;

  const from = (ms, go = true) => {
    audio.currentTime = ms / 1000;
    if (go) audio.play().catch(() => {});
    follow(go);
  };
  const at = () => audio.currentTime * 1000;
  const current = () => turns.findLastIndex((turn) => Number(turn.dataset.start) <= at() + 20);
  const step = (by) => {
    const index = Math.min(turns.length - 1, Math.max(0, current() + by));
    if (turns[index]) from(Number(turns[index].dataset.start), !audio.paused);
    turns[index]?.scrollIntoView({ block: "center" });
  };
  const faster = (by) => {
    speed.selectedIndex = Math.min(speed.options.length - 1, Math.max(0, speed.selectedIndex + by));
    audio.playbackRate = Number(speed.value);
  };
  const acts = {
    play: () => (audio.paused ? audio.play().catch(() => {}) : audio.pause()),
    back: () => { audio.currentTime = Math.max(0, audio.currentTime - STEP_S); },
    forward: () => { audio.currentTime = audio.currentTime + STEP_S; },
    previous: () => step(-1),
    next: () => step(1),
    slower: () => faster(-1),
    faster: () => faster(1),
  };

  function follow(scroll = true) {
    now.textContent = clock(audio.currentTime);
    const index = current();
    const turn = index >= 0 && at() < Number(turns[index].dataset.end) + 1500 ? turns[index] : null;
    if (turn !== playing) {
      playing?.classList.remove("turn--playing");
      playing?.removeAttribute("aria-current");
      turn?.classList.add("turn--playing");
      turn?.setAttribute("aria-current", "true");
      playing = turn;
      if (turn && scroll && !typing(document.activeElement)) turn.scrollIntoView({ block: "center" });
    }
    for (const word of document.querySelectorAll(".word--now")) word.classList.remove("word--now");
    if (!turn) return;
    for (const word of turn.querySelectorAll(".turn__text [data-at]")) {
      if (Number(word.dataset.at) <= at() + 20 && at() < Number(word.dataset.until)) word.classList.add("word--now");
    }
  }

  audio.addEventListener("timeupdate", () => follow(!audio.paused));
  audio.addEventListener("seeked", () => follow(true));
  for (const [event, name] of [["play", "pause"], ["pause", "play"]]) {
    audio.addEventListener(event, () => {
      label.textContent = root.querySelector("[data-do=play]").dataset[name];
    });
  }
  speed.addEventListener("change", () => { audio.playbackRate = Number(speed.value); });
  for (const button of root.querySelectorAll("[data-do]")) {
    button.addEventListener("click", () => acts[button.dataset.do]());
  }
  return { audio, acts, from, playing: () => playing };
}

/** Plain keys work outside text fields; with Alt they also work while typing. */
export function keys(table) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || document.querySelector("dialog[open]")) return;
    if (typing(event.target) !== event.altKey && typing(event.target)) return;
    const letter = /^Key[A-Z]$/.test(event.code) ? event.code.slice(3).toLowerCase() : event.key;
    const act = table[letter];
    if (!act) return;
    event.preventDefault();
    act();
  });
}

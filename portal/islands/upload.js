// The upload desk: totals first, one failing file never stops the rest, «sealed» only when the server matched the digest.
import { Hasher, begun, fingerprint, remember, sealed, send } from "./lib/upload_item.js";

const AT_ONCE = 2;
const SHOWN = 1000;
const form = document.querySelector("[data-upload]");
const find = (name) => form.querySelector(`[data-${name}]`);
const words = JSON.parse(form.dataset.words);
const errors = JSON.parse(form.dataset.errors);
const { language } = form.dataset;
const caseId = form.dataset.case;
const limit = Number(form.dataset.limit);
const csrf = form.elements.csrf_token.value;
const items = [];
let hasher = null;
let running = 0;
let started = false;
let recent = [];

find("plain").hidden = true;
find("rich").hidden = false;

const UNITS = language === "en" ? ["B", "KiB", "MiB", "GiB", "TiB"] : ["Б", "КиБ", "МиБ", "ГиБ", "ТиБ"];
function bytes(value) {
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) { value /= 1024; unit += 1; }
  return `${new Intl.NumberFormat(language, { maximumFractionDigits: unit ? 1 : 0 }).format(value)} ${UNITS[unit]}`;
}
function span(seconds) {
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, Math.floor(seconds % 60)];
  const two = (n) => String(n).padStart(2, "0");
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

const TONES = { sealed: "good", duplicate: "info", failed: "bad", hashing: "wait", sending: "wait", checking: "wait", waiting: "info" };
function draw(item) {
  const cell = item.row?.lastElementChild;
  if (!cell) return;
  const tag = document.createElement("strong");
  tag.className = `govuk-tag govuk-tag--${TONES[item.state]}`;
  const part = ["hashing", "sending"].includes(item.state) ? ` ${Math.floor((100 * item.done) / item.file.size)} %` : "";
  tag.textContent = words[`upload.state.${item.state}`] + part;
  cell.replaceChildren(tag);
  if (item.state === "failed") {
    const why = document.createElement("div");
    why.className = "small";
    why.textContent = `${errors[item.code] ?? (item.code === "offline" ? words["upload.offline"] : errors.unknown)} (${item.code})`;
    cell.append(why);
    for (const [word, act] of [["upload.retry_one", () => again(item)], ["upload.drop_one", () => forget(item)]]) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "key-button";
      button.textContent = words[word];
      button.addEventListener("click", act);
      cell.append(button, " ");
    }
  }
  if (item.state === "sealed") {
    const link = document.createElement("a");
    link.className = "govuk-link small";
    link.href = `/exhibits/${item.exhibit}`;
    link.textContent = ` ${item.sha256.slice(7, 19)}…`;
    cell.append(link);
  }
}
function to(item, state, code) {
  item.state = state;
  item.code = code;
  item.done = 0;
  draw(item);
  totals();
}

let drawing = false;
function totals() {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    const count = (...states) => items.filter((item) => states.includes(item.state)).length;
    const all = items.reduce((sum, item) => sum + item.file.size, 0);
    const sent = items.reduce((sum, item) => sum + (["sealed", "checking", "duplicate"].includes(item.state) ? item.file.size : item.state === "sending" ? item.done : 0), 0);
    const show = (name, text) => { form.querySelector(`[data-total=${name}]`).textContent = text; };
    const left = count("waiting", "hashing", "sending", "checking");
    show("done", `${count("sealed", "duplicate")} / ${items.length}`);
    show("left", left);
    show("failed", count("failed"));
    show("bytes", `${bytes(sent)} / ${bytes(all)}`);
    const now = performance.now();
    recent = [...recent.filter((mark) => now - mark.at < 10_000), { at: now, sent }];
    const speed = recent.length > 1 ? (1000 * (sent - recent[0].sent)) / (now - recent[0].at) : 0;
    show("speed", speed > 0 ? `${bytes(speed)}/${language === "en" ? "s" : "с"}` : "—");
    show("time", left && started ? (speed > 0 ? span((all - sent) / speed) : words["upload.no_time"]) : "—");
    find("bar").value = all ? sent / all : 0;
    find("retry").hidden = !count("failed");
    if (started && !left) {
      started = false;
      find("announce").textContent = words[count("failed") ? "upload.some_failed" : "upload.all_sealed"];
      const receipt = find("open-receipt");
      const ids = items.filter((item) => item.state === "sealed").map((item) => item.exhibit);
      receipt.hidden = !ids.length;
      sessionStorage.setItem("dalel-receipt", JSON.stringify(ids));
      receipt.href = `${form.dataset.receipt}?${new URLSearchParams(ids.slice(0, 200).map((id) => ["exhibit", id]))}`;
    }
  });
}

function refusal(file) {
  if (file.size === 0) return "upload.empty";
  return file.size > limit ? "upload.too_large" : null;
}
function add(files) {
  const fragment = document.createDocumentFragment();
  for (const { file, folder } of files) {
    const mark = fingerprint(caseId, folder, file);
    if (items.some((item) => item.fingerprint === mark)) continue;
    const item = { file, folder, fingerprint: mark, state: "waiting", done: 0 };
    items.push(item);
    if (items.length <= SHOWN) {
      item.row = document.createElement("tr");
      const name = document.createElement("th");
      name.scope = "row";
      name.className = "name";
      name.textContent = (folder ? `${folder}/` : "") + file.name;
      const size = document.createElement("td");
      size.className = "num";
      size.textContent = bytes(file.size);
      item.row.append(name, size, document.createElement("td"));
      fragment.append(item.row);
    }
    const code = refusal(file);
    if (code) Object.assign(item, { state: "failed", code });
    draw(item);
  }
  find("rows").append(fragment);
  find("progress").hidden = find("table").hidden = false;
  find("resume").hidden = true;
  totals();
  if (started) pump();
}

async function carry(item) {
  try {
    to(item, "hashing");
    const moved = (done) => { item.done = done; draw(item); totals(); };
    if (hasher?.broken) hasher = null;
    hasher ??= new Hasher(form.dataset.worker);
    item.sha256 ??= await hasher.digest(item.file, moved);
    to(item, "sending");
    const details = {
      case: caseId,
      basis: form.elements.basis.value.trim(),
      purpose: form.elements.purpose.value.trim(),
      retain_days: form.elements.retain_days.value.trim(),
    };
    item.exhibit = await send(item, details, csrf, moved);
    to(item, "checking");
    await sealed(item.exhibit);
    remember(item.fingerprint, null);
    to(item, "sealed");
  } catch (fault) {
    if (fault.message === "exhibit.duplicate") to(item, "duplicate");
    else to(item, "failed", fault.message);
  }
}
function pump() {
  while (running < AT_ONCE) {
    const item = items.find((each) => each.state === "waiting");
    if (!item) return;
    item.state = "hashing";
    running += 1;
    carry(item).finally(() => { running -= 1; pump(); });
  }
}
function again(item) {
  to(item, "waiting");
  start();
}
function forget(item) {
  remember(item.fingerprint, null);
  items.splice(items.indexOf(item), 1);
  item.row?.remove();
  totals();
}
function start() {
  for (const name of ["basis", "purpose"]) {
    if (form.elements[name].value.trim()) continue;
    find("announce").textContent = words["upload.describe_first"];
    form.elements[name].focus();
    return;
  }
  find("announce").textContent = "";
  started = true;
  pump();
}

async function entries(entry, folder) {
  if (entry.isFile) return [{ file: await new Promise((ok, no) => entry.file(ok, no)), folder }];
  const reader = entry.createReader();
  const found = [];
  const path = folder ? `${folder}/${entry.name}` : entry.name;
  for (;;) {
    const part = await new Promise((ok, no) => reader.readEntries(ok, no));
    if (!part.length) return found;
    for (const child of part) found.push(...(await entries(child, path)));
  }
}
const fromInput = (list) => [...list].map((file) => ({ file, folder: file.webkitRelativePath.split("/").slice(0, -1).join("/") }));

for (const kind of ["files", "folder"]) {
  const input = find(`input-${kind}`);
  find(`pick-${kind}`).addEventListener("click", () => input.click());
  input.addEventListener("change", () => { add(fromInput(input.files)); input.value = ""; });
}
const drop = find("drop");
drop.addEventListener("dragover", (event) => { event.preventDefault(); drop.classList.add("drop--over"); });
drop.addEventListener("dragleave", () => drop.classList.remove("drop--over"));
drop.addEventListener("drop", async (event) => {
  event.preventDefault();
  drop.classList.remove("drop--over");
  const dropped = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry()).filter(Boolean);
  for (const entry of dropped) add(await entries(entry, ""));
});
find("start").addEventListener("click", start);
find("retry").addEventListener("click", () => {
  for (const item of items.filter((each) => each.state === "failed" && !refusal(each.file))) to(item, "waiting");
  start();
});
form.addEventListener("submit", (event) => { event.preventDefault(); start(); });
// The line is back: what waits for its next try goes on now, what had given up is taken again.
addEventListener("offline", () => { if (started) find("announce").textContent = words["upload.offline"]; });
addEventListener("online", () => {
  find("announce").textContent = "";
  for (const item of items) {
    if (item.state === "sending") item.again?.();
    if (item.state === "failed" && item.code === "offline") again(item);
  }
});
addEventListener("beforeunload", (event) => {
  if (running) event.preventDefault();
});

const unfinished = Object.keys(begun(caseId)).length;
if (unfinished) {
  find("resume").hidden = false;
  find("resume-text").textContent = words["upload.resume_hint"].replace("{count}", unfinished);
}

// The upload desk: totals first, one failing file never stops the rest, «sealed» only when the server matched the digest.
import { fingerprint } from "./lib/upload_item.js";
import { FINAL, Listing, Trouble } from "./lib/upload_list.js";
import { Memory } from "./lib/upload_memory.js";
import { Queue } from "./lib/upload_queue.js";
import { Server } from "./lib/upload_server.js";
import { Totals } from "./lib/upload_totals.js";
import { ofEntry, ofHandle, ofInput } from "./lib/upload_tree.js";
import { speaker } from "./lib/upload_words.js";

const TELL_MS = 15_000;
const DESCRIBED = ["basis", "purpose", "category", "retain_days"];
const LISTS = { "manifest-sha256.txt": "bagit", sha256sums: "sha256sum", "sha256sums.txt": "sha256sum" };

const form = document.querySelector("[data-upload]");
const find = (name) => form.querySelector(`[data-${name}]`);
const words = JSON.parse(form.dataset.words);
const errors = JSON.parse(form.dataset.errors);
const caseId = form.dataset.case;
const limit = Number(form.dataset.limit);
const told = speaker(form.dataset.language);
const items = new Map();
const totals = new Totals();
const memory = await Memory.open(caseId);
const server = new Server(caseId, form.elements.csrf_token.value);
const earlier = await memory.files().catch(() => new Map());
let free = null;
let provided = null;

const show = {
  ...told,
  words,
  files: (count) => told.say(words["upload.files_n"], { count }),
  trouble: (count) => told.say(words["upload.trouble_n"], { count }),
  claim: (recorded) => told.say(words["upload.claim_of"], { recorded }),
  again: (number) => told.say(errors["upload.sent_again"], { number }),
  exhibit: (number) => (number ? told.say(words["upload.exhibit"], { number }) : ""),
  reason: (item) => told.say(errors[item.code] ?? errors.unknown, { limit_bytes: limit, free_bytes: free, code: item.code, number: item.number }),
};
const listing = new Listing(find("rows"), find("table"), show, throwAway);
const trouble = new Trouble(find("trouble"), find("trouble-list"), find("trouble-title"), show, (item) => again([item]), throwAway);

const desk = {
  details() {
    const said = Object.fromEntries(DESCRIBED.map((name) => [name, form.elements[name].value.trim()]));
    return { case: caseId, ...said, retain_days: said.category ? "" : said.retain_days };
  },
  step(item, state, code) {
    totals.step(item, item.state, state);
    Object.assign(item, { state, code, done: 0 });
    trouble.set(item, state === "failed");
    listing.draw(item);
    memory.soon(item);
    tell();
  },
  moved(item, bytes) {
    item.done = bytes;
    if (item.state === "sending") totals.moved(item, bytes);
    listing.draw(item);
    tell();
  },
  connection(there) {
    find("offline").hidden = there;
    if (there) say(words["upload.back"]);
  },
  settled() {
    const failed = totals.count("failed");
    const already = totals.count("duplicate");
    say(told.say(words[failed ? "upload.some_failed" : "upload.all_sealed"], { chosen: totals.files, sealed: totals.count("sealed"), already, failed }));
    const button = find("open-receipt");
    button.hidden = !(totals.count("sealed") || already);
    if (!button.hidden && document.activeElement === find("start")) button.focus();
    tell();
  },
};
const queue = new Queue(server, memory, form.dataset.worker, desk);

function say(text) {
  find("announce").textContent = text;
}
let drawing = false;
let saidAt = 0;
function tell() {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    const put = (name, text) => { form.querySelector(`[data-total=${name}]`).textContent = text; };
    const now = performance.now();
    const speed = totals.speed(now);
    const { left } = totals;
    put("done", `${told.number(totals.count("sealed", "duplicate"))} / ${told.number(totals.files)}`);
    put("left", told.number(left));
    put("failed", told.number(totals.count("failed")));
    put("bytes", `${told.bytes(totals.there)} / ${told.bytes(totals.bytes)}`);
    put("speed", speed > 0 && left ? told.speed(told.bytes(speed)) : "—");
    put("time", left && queue.started ? (speed > 0 ? told.span((totals.bytes - totals.there) / speed) : words["upload.no_time"]) : "—");
    find("bar").value = totals.bytes ? totals.there / totals.bytes : 0;
    find("start").hidden = !totals.count("waiting", "hashing", "queued", "sending");
    find("retry").hidden = ![...trouble.entries.keys()].some((item) => !item.never);
    if (queue.started && left && now - saidAt > TELL_MS) {
      saidAt = now;
      say(told.say(words["upload.so_far"], { sealed: totals.count("sealed", "duplicate"), chosen: totals.files, failed: totals.count("failed") }));
    }
  });
}

function refusal({ size }) {
  if (size === 0) return "exhibit.empty";
  if (size > limit) return "exhibit.too_large";
  return free !== null && totals.bytes - totals.there + size > free ? "upload.no_room" : null;
}
function add(files) {
  const fresh = [];
  for (const { file, folder } of files) {
    const mark = fingerprint(caseId, folder, file);
    if (items.has(mark)) continue;
    const known = earlier.get(mark);
    earlier.delete(mark);
    const { sha256, key, url, token, exhibit, number } = known ?? {};
    const item = { mark, caseId, file, folder, name: file.name, size: file.size, recorded: told.moment(file.lastModified), state: "waiting", done: 0, sha256, key, url, token, exhibit, number };
    item.was = known?.state;
    items.set(mark, item);
    totals.add(item);
    fresh.push(item);
  }
  listing.add(fresh);
  for (const item of fresh) {
    const code = refusal(item);
    if (code) refuse(item, code);
    else if (item.was === "sealed" || item.was === "checking") queue.check(item);
    else queue.take(item);
  }
  find("progress").hidden = find("table").hidden = false;
  resumable();
  noticeList(fresh);
  tell();
  return fresh;
}
function refuse(item, code) {
  item.never = true;
  queue.drop(item);
  desk.step(item, "failed", code);
  memory.drop([item.mark]).catch(() => {}); // nothing of it can be resumed
}
/** The rules that only the server knows, such as which names it can keep, asked before anything is hashed. */
async function ask(fresh) {
  const asked = fresh.filter((item) => item.state !== "failed" && !item.was).map((item) => ({ item, name: item.name, folder: item.folder, size: item.size }));
  const answer = asked.length ? await server.survey(asked).catch(() => null) : null;
  if (!answer) return;
  free = answer.free;
  answer.found.forEach((one, index) => { if (one.state === "refused") refuse(asked[index].item, one.code); });
}
async function chosen(portions) {
  for await (const files of portions) await ask(add(files));
  await memory.keep([...items.values()].filter((item) => !item.never)).catch(() => {});
}

function described() {
  for (const name of ["basis", "purpose"]) {
    if (form.elements[name].value.trim()) continue;
    say(words["upload.describe_first"]);
    form.elements[name].focus();
    return false;
  }
  return true;
}
function start() {
  if (!described()) return;
  say("");
  memory.describe(Object.fromEntries(DESCRIBED.map((name) => [name, form.elements[name].value])));
  queue.start();
  desk.connection(true);
  tell();
}
async function again(some) {
  await server.refresh();
  for (const item of some) if (!item.never) queue.take(item);
  start();
}
async function throwAway(item) {
  queue.drop(item);
  items.delete(item.mark);
  totals.remove(item);
  trouble.set(item, false);
  listing.remove(item);
  await memory.drop([item.mark]);
  if (item.url) await server.throwAway(item);
  tell();
}

// What was chosen and not finished when the browser was closed.
const unfinished = () => [...earlier.values()].filter((entry) => !FINAL.includes(entry.state));
function resumable() {
  const count = unfinished().length;
  find("resume").hidden = !count;
  find("resume-text").textContent = told.say(words[items.size ? "upload.resume_rest" : "upload.resume_hint"], { count });
  find("resume-go").textContent = told.say(words["upload.resume_n"], { count });
}
async function resume() {
  const { roots = [] } = await memory.desk();
  const open = [];
  for (const root of roots) {
    const right = await root.requestPermission?.({ mode: "read" }).catch(() => "denied");
    if (right === "granted") open.push(root);
  }
  if (!open.length) {
    find(unfinished().some((entry) => entry.folder) ? "input-folder" : "input-files").click();
    return;
  }
  for (const root of open) await chosen(ofHandle(root)).catch(() => {});
  start();
}
async function forget() {
  const gone = unfinished();
  earlier.clear();
  resumable();
  await memory.drop(gone.map((entry) => entry.mark));
  await memory.describe({ roots: [] });
  for (const entry of gone) if (entry.url) await server.throwAway(entry);
}

// The provider's list: chosen by hand, or found among the files by its usual name.
const formOf = (name) => LISTS[name.toLowerCase()] ?? (/\.csv$/i.test(name) ? "csv" : "sha256sum");
async function takeList(file, root, own) {
  provided = { text: new TextDecoder("utf-8", { ignoreBOM: true }).decode(await file.arrayBuffer()), format: formOf(file.name), root, name: own };
  find("list-told").textContent = told.say(words["upload.list_taken"], { name: file.name });
}
function noticeList(fresh) {
  const found = provided ? null : fresh.find((item) => item.name.toLowerCase() in LISTS || /\.sha256$/i.test(item.name));
  if (found) takeList(found.file, found.folder, found.name);
}
find("list").addEventListener("change", ({ target }) => {
  const tops = new Set([...items.values()].map((item) => item.folder.split("/")[0]));
  if (target.files[0]) takeList(target.files[0], tops.size === 1 ? [...tops][0] : "", "");
});

async function receipt() {
  const some = (state) => [...items.values()].filter((item) => item.state === state);
  const button = find("open-receipt");
  button.disabled = true;
  say(words["upload.receipt_wait"]);
  try {
    const issued = await server.receipt({
      exhibits: some("sealed").map((item) => item.exhibit),
      already: [...new Set(some("duplicate").map((item) => item.exhibit))],
      failed: some("failed").map((item) => ({ path: item.folder ? `${item.folder}/${item.name}` : item.name, code: item.code })),
      list: provided,
    });
    await memory.drop([...items.values()].filter((item) => item.state !== "failed").map((item) => item.mark));
    location.href = `/receipts/${issued.id}`;
  } catch (fault) {
    say(`${told.say(errors[fault.message] ?? errors.unknown, { code: fault.message })} (${fault.message})`);
  }
  button.disabled = false;
}

for (const kind of ["files", "folder"]) {
  const input = find(`input-${kind}`);
  find(`pick-${kind}`).addEventListener("click", () => input.click());
  input.addEventListener("change", async () => {
    const files = ofInput(input.files);
    input.value = "";
    const resuming = unfinished().length && form.elements.basis.value && form.elements.purpose.value;
    await chosen([files]);
    if (resuming || queue.started) start();
  });
}
const drop = find("drop");
drop.addEventListener("dragover", (event) => { event.preventDefault(); drop.classList.add("drop--over"); });
drop.addEventListener("dragleave", () => drop.classList.remove("drop--over"));
drop.addEventListener("drop", async (event) => {
  event.preventDefault();
  drop.classList.remove("drop--over");
  // Both must be asked for before this handler first waits: afterwards the browser has forgotten what was dropped.
  const dropped = [...event.dataTransfer.items].filter((item) => item.kind === "file");
  const handles = dropped.map((item) => item.getAsFileSystemHandle?.());
  const entries = dropped.map((item) => item.webkitGetAsEntry()).filter(Boolean);
  for (const entry of entries) await chosen(ofEntry(entry));
  const roots = (await Promise.allSettled(handles)).map((one) => one.value).filter(Boolean);
  await memory.describe({ roots: [...((await memory.desk()).roots ?? []), ...roots] }).catch(() => {});
});
find("start").addEventListener("click", start);
find("retry").addEventListener("click", () => again([...trouble.entries.keys()]));
find("resume-go").addEventListener("click", resume);
find("pick-list").addEventListener("click", () => find("list").click());
find("resume-forget").addEventListener("click", forget);
find("open-receipt").addEventListener("click", receipt);
form.addEventListener("submit", (event) => { event.preventDefault(); start(); });
addEventListener("offline", () => { if (queue.started) desk.connection(false); });
addEventListener("online", () => { desk.connection(true); queue.wake(); });
addEventListener("beforeunload", (event) => { if (queue.busy) event.preventDefault(); });

if (unfinished().length) {
  const before = await memory.desk();
  for (const name of DESCRIBED) if (before[name] && !form.elements[name].value) form.elements[name].value = before[name];
  if (before.retain_days) form.elements.retain_days.value = before.retain_days;
  resumable();
} else {
  await memory.drop([...earlier.keys()]).catch(() => {});
  await memory.describe({ roots: [] });
}
// With a category the term is its rule's: nobody is asked for another.
const term = () => { find("own-term").hidden = Boolean(form.elements.category.value); };
form.elements.category.addEventListener("change", term);
term();
find("plain").hidden = true;
find("rich").hidden = false;

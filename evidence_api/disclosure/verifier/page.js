// The page: two files in, the same steps and sentences as the command out. Nothing leaves this computer.

const CLOCK_TOLERANCE_S = 300;
const MAX_SHOWN = 200;

/** A value as it may be shown: control characters become `?`, length is bounded. */
function printable(value) {
  const characters = Array.from(String(value)).slice(0, MAX_SHOWN + 1);
  const text = characters.map((one) => (one !== " " && /[\p{C}\p{Z}]/u.test(one) ? "?" : one));
  return text.length <= MAX_SHOWN ? text.join("") : `${text.slice(0, MAX_SHOWN).join("")}…`;
}

const filled = (sentence, values) => sentence.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");

/** What was found, for a code: as `custody.proof.words.found`. */
function foundText(words, code, values) {
  const shown = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, printable(value)]));
  if ("reason" in values) shown.reason = words.reasons[values.reason] ?? values.reason;
  if (shown.detail) shown.reason += ` (${shown.detail})`;
  return filled(words.found[code], shown);
}

function made(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** Which field a dropped file is for. */
const fieldOf = (name) => (/\.zip$/i.test(name) ? "package" : /\.(?:pem|crt|cer)$/i.test(name) ? "tsa_roots" : "policy");

/** Builds itself into `root`; `root.dataset.language` fixes the language, otherwise there is a choice. */
class Verifier {
  constructor(root) {
    this.root = root;
    this.fixed = root.dataset.language;
    this.language = this.fixed ?? this.preferred();
    this.files = { package: null, policy: null, tsa_roots: null };
    this.outcome = [];
    this.running = false;
    this.build();
    root.addEventListener("dragover", (drag) => drag.preventDefault());
    root.addEventListener("drop", (drop) => {
      drop.preventDefault();
      for (const file of drop.dataTransfer.files) this.choose(fieldOf(file.name), file);
    });
  }

  preferred() {
    const wanted = navigator.languages.map((language) => language.slice(0, 2));
    return wanted.find((language) => language in DATA.words) ?? "kk";
  }

  get words() {
    return DATA.words[this.language];
  }

  build() {
    const ui = this.words.ui;
    if (!this.fixed) {
      document.documentElement.lang = this.language;
      document.title = ui.title;
    }
    this.status = made("p", { class: "verifier-status", role: "status" });
    this.steps = made("ol", { class: "verifier-steps" });
    this.verdict = made("div", { class: "verifier-verdict", tabindex: "-1" });
    this.button = made("button", { class: "govuk-button", type: "button" }, ui.check);
    this.button.addEventListener("click", () => this.check());
    const parts = [
      ...(this.fixed ? [] : [this.choice(), made("h1", { class: "govuk-heading-l" }, ui.title)]),
      made("p", { class: "lead" }, ui.lead),
      this.field("package", ".zip"),
      this.field("policy", ""),
      this.field("tsa_roots", ""),
      this.button,
      this.status,
      this.verdict,
      this.steps,
      made("p", { class: "small muted" }, ui.own),
    ];
    this.root.replaceChildren(...parts);
    this.show();
  }

  choice() {
    const bar = made("p", { class: "verifier-languages" });
    for (const [code, words] of Object.entries(DATA.words)) {
      const button = made("button", { type: "button", lang: code, "aria-pressed": code === this.language });
      button.textContent = words.ui.name;
      button.addEventListener("click", () => {
        this.language = code;
        this.build();
        this.root.querySelector(`[lang="${code}"]`).focus();
      });
      bar.append(button);
    }
    return bar;
  }

  field(name, accept) {
    const ui = this.words.ui;
    const hint = made("p", { class: "govuk-hint", id: `verifier-${name}-hint` }, ui[`${name}_hint`]);
    const attributes = { type: "file", id: `verifier-${name}`, class: "govuk-file-upload", "aria-describedby": hint.id };
    const input = made("input", { ...attributes, ...(accept && { accept }) });
    input.addEventListener("change", () => this.choose(name, input.files[0] ?? null));
    const label = made("label", { class: "govuk-label", for: input.id }, ui[name]);
    const chosen = made("p", { class: "verifier-chosen", id: `verifier-${name}-chosen` });
    return made("div", { class: "govuk-form-group" }, label, hint, input, chosen);
  }

  choose(name, file) {
    if (this.running) return;
    this.files[name] = file;
    this.outcome = [];
    this.show();
  }

  /** Shows what is known, in the present language: chosen files, steps, verdict. */
  show() {
    for (const [name, file] of Object.entries(this.files)) {
      this.root.querySelector(`#verifier-${name}-chosen`).textContent = file ? printable(file.name) : "";
    }
    this.steps.replaceChildren(...this.outcome.filter((one) => one.step).map((one) => this.step(one)));
    const end = this.outcome.find((one) => one.verdict);
    this.verdict.replaceChildren(...(end ? this.sentences(end).map((text) => made("p", {}, text)) : []));
    this.verdict.dataset.verdict = end?.verdict ?? "";
  }

  label(key, text) {
    return this.words.said[key].replace("{text}", () => text);
  }

  step({ step, code, values, ok }) {
    const [name, expected, unproved] = this.words.steps[step];
    const found = foundText(this.words, code, values);
    const item = made("li", { "data-step": step, "data-code": code, "data-ok": ok });
    item.append(made("p", {}, made("strong", {}, `${step}. ${name}: ${this.words.said[ok ? "ok" : "failed"]}`)));
    item.append(made("p", {}, this.label("expected", expected)), made("p", {}, this.label("found", found)));
    if (!ok) item.append(made("p", {}, this.label("does_not_prove", unproved)));
    if (values.unchecked) item.append(made("p", {}, this.unchecked(values)));
    return item;
  }

  unchecked({ unchecked }) {
    return filled(this.words.ui.unchecked, { names: printable(unchecked) });
  }

  sentences({ verdict, values }) {
    const { said, reasons, ui } = this.words;
    if (verdict === "verified") {
      const unsigned = filled(said.unsigned, { names: values.unsigned.map(printable).join(", ") });
      const rest = values.unchecked ? [this.unchecked(values)] : [];
      return [filled(said.verified, values), said.limits, unsigned, ...rest];
    }
    if (verdict === "refused") return [filled(said.refused, { step: values.step, name: this.words.steps[values.step][0] })];
    const why = ui[values.why] ?? reasons[values.why] ?? printable(values.why);
    return [filled(said.unusable, { what: said[`what.${values.what}`], why })];
  }

  async check() {
    if (this.running) return;
    const ui = this.words.ui;
    if (!this.files.package || !this.files.policy) {
      this.status.textContent = ui.choose_both;
      return;
    }
    this.running = true;
    this.outcome = [];
    this.show();
    let read = 0;
    const heard = (bytes) => {
      read += bytes;
      const done = Math.min(100, Math.floor((read / this.files.package.size) * 100));
      this.status.textContent = filled(this.words.ui.working, { done });
    };
    heard(0);
    const end = await this.judged(heard);
    this.outcome.push(end);
    this.running = false;
    this.status.textContent = "";
    this.show();
    this.verdict.focus();
  }

  /** The verdict; each step that passes, or is the one that fails, is noted on the way. */
  async judged(heard) {
    const unusable = (what, why) => ({ verdict: "unusable", values: { what, why } });
    if (!(await canVerify())) return unusable("package", "no_crypto");
    let [policy, roots] = [null, []];
    try {
      policy = parsePolicy(new Uint8Array(await this.files.policy.slice(0, 100_001).arrayBuffer()));
    } catch (fault) {
      return unusable("policy", fault.reason ?? "unreadable");
    }
    try {
      if (this.files.tsa_roots) roots = parseRoots(new Uint8Array(await this.files.tsa_roots.arrayBuffer()));
    } catch (fault) {
      return unusable("tsa_roots", fault.reason ?? "unreadable");
    }
    const now = BigInt(Math.floor(Date.now() / 1000) + CLOCK_TOLERANCE_S);
    const report = (step, code, values) => {
      this.outcome.push({ step, code, values, ok: true });
      this.show();
    };
    try {
      const values = await verifyPackage(this.files.package, policy, roots, now, report, heard);
      return { verdict: "verified", values };
    } catch (fault) {
      if (fault instanceof Unchecked) return unusable("package", "no_ml_dsa");
      if (!(fault instanceof Refusal)) return unusable("package", "unreadable");
      this.outcome.push({ step: fault.step, code: fault.code, values: fault.values, ok: false });
      return { verdict: "refused", values: { step: fault.step } };
    }
  }
}

/** Whether this browser verifies Ed25519: the first test vector of RFC 8032, section 7.1. */
async function canVerify() {
  const unhex = (text) => Uint8Array.from(text.match(/../g), (pair) => parseInt(pair, 16));
  try {
    const raw = unhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
    const key = await crypto.subtle.importKey("raw", raw, "Ed25519", false, ["verify"]);
    const signature = unhex(
      "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555" +
        "fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    );
    return await crypto.subtle.verify("Ed25519", key, signature, new Uint8Array());
  } catch {
    return false;
  }
}

new Verifier(document.getElementById("verifier"));

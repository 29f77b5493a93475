// What the desk asks the server about many files at once, and the receipt.
import { codeOf } from "./upload_item.js";

const MOST = 500;
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export class Server {
  constructor(caseId, csrf) {
    this.base = `/api/v1/cases/${caseId}`;
    this.csrf = csrf;
  }

  /** JSON of a POST. Rejects with an Error whose message is a stable code, `offline` when there was no answer. */
  post(path, body) {
    return this.#ask(path, { "Content-Type": "application/json" }, JSON.stringify(body));
  }

  async #ask(path, more, body) {
    const headers = { Accept: "application/json", "X-CSRF-Token": this.csrf, ...more };
    const answer = await fetch(this.base + path, { method: "POST", headers, body }).catch(() => null);
    if (answer?.status === 429) {
      await pause(1000 * Number(answer.headers.get("Retry-After") ?? 5));
      return this.#ask(path, more, body);
    }
    if (!answer || answer.status >= 502) throw new Error("offline");
    if (answer.ok) return answer.json();
    const code = codeOf(await answer.text());
    if (code !== "idempotency.in_progress") throw new Error(code ?? "unknown");
    // The first sending, whose answer was lost on the way, still acts.
    await pause(1000);
    return this.#ask(path, more, body);
  }

  /** Sends small items in one request, once however often it is asked under this key; in their order what became of each. */
  async sendTogether(items, details, key) {
    const { basis, purpose, retain_days: days, category = "" } = details;
    const files = items.map(({ name, folder, size, sha256, recorded }) => ({ filename: name, folder, size_bytes: size, sha256, recorded_at: recorded }));
    const listing = JSON.stringify({ basis, purpose, retain_days: Number(days) || 0, category, files });
    const bytes = await Promise.all(items.map(({ file }) => file.arrayBuffer())).catch(() => { throw new Error("upload.forgotten"); });
    const headers = { "Content-Type": "application/vnd.dalel.small-files", "Idempotency-Key": key };
    return (await this.#ask("/small-files", headers, new Blob([listing, "\n", ...bytes]))).items;
  }

  /** What awaits these items, in their order: [{state, exhibit, number, upload, code}, …] and the store's free room. */
  async survey(items) {
    const found = [];
    let free = null;
    for (let start = 0; start < items.length; start += MOST) {
      const files = items.slice(start, start + MOST).map(({ name, folder, size, sha256 }) => ({ filename: name, folder, size_bytes: size, sha256 }));
      const answer = await this.post("/survey", { files });
      found.push(...answer.items);
      free = answer.free_bytes;
    }
    return { found, free };
  }

  /** States by exhibit. */
  async states(exhibits) {
    const answer = await this.post("/states", { exhibits: exhibits.slice(0, MOST) });
    return new Map(answer.items.map((one) => [one.id, one]));
  }

  /** Issues a receipt; waits for the log to cover it. */
  async receipt(body) {
    for (;;) {
      try {
        return await this.post("/receipts", body);
      } catch (fault) {
        if (fault.message !== "receipt.not_ready") throw fault;
        await pause(1000);
      }
    }
  }

  /** Throws a draft away: until it is sealed one may. */
  async throwAway(item) {
    const headers = { "Tus-Resumable": "1.0.0", ...(item.token ? { Authorization: `Upload ${item.token}` } : { "X-CSRF-Token": this.csrf }) };
    await fetch(item.url, { method: "DELETE", headers }).catch(() => null);
  }

  /** Whether the server answers. */
  async there() {
    return Boolean(await fetch("/healthz", { cache: "no-store" }).then((answer) => answer.ok, () => false));
  }

  /** After signing in again elsewhere the old token of this page no longer counts: take the new one. */
  async refresh() {
    const page = await fetch(location.href).then((answer) => (answer.ok ? answer.text() : ""), () => "");
    const fresh = new DOMParser().parseFromString(page, "text/html").querySelector("[data-upload] [name=csrf_token]");
    if (fresh) this.csrf = fresh.value;
  }
}

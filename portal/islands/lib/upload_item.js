// One file on its way: its digest from the worker, its bytes by tus, its seal by asking the server.
import * as tus from "tus-js-client";

const PART = 16 * 1024 * 1024;
const ASK_MS = 1500;
const MEMORY = "dalel-uploads";

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const memory = () => JSON.parse(localStorage.getItem(MEMORY) ?? "{}");

/** What of this case was begun and not finished: {fingerprint: {name, url, exhibit, token, sha256, size}}. */
export const begun = (caseId) =>
  Object.fromEntries(Object.entries(memory()).filter(([, entry]) => entry.case === caseId));
export function remember(fingerprint, entry) {
  const all = memory();
  if (entry) all[fingerprint] = entry;
  else delete all[fingerprint];
  localStorage.setItem(MEMORY, JSON.stringify(all));
}
export const fingerprint = (caseId, folder, file) =>
  JSON.stringify([caseId, folder, file.name, file.size, file.lastModified]);

/** Digests one file after another in one worker: two cores are enough for hashing beside sending. */
export class Hasher {
  constructor(address) {
    this.worker = new Worker(address, { type: "module" });
    this.waiting = new Map();
    this.next = 0;
    this.broken = false;
    // The worker's script could not be loaded: no file of this desk can be hashed until it is asked for again.
    this.worker.onerror = () => {
      this.broken = true;
      for (const job of this.waiting.values()) job.reject(new Error("offline"));
    };
    this.worker.onmessage = ({ data }) => {
      const job = this.waiting.get(data.id);
      if (data.sha256 || data.failed) this.waiting.delete(data.id);
      if (data.sha256) job.resolve(data.sha256);
      else if (data.failed) job.reject(new Error("upload.forgotten"));
      else job.progress(data.done);
    };
  }

  digest(file, progress) {
    const id = this.next++;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject, progress });
      this.worker.postMessage({ id, file });
    });
  }
}

const randomKey = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

const codeOf = (response) => {
  try {
    return JSON.parse(response.getBody()).code;
  } catch {
    return undefined;
  }
};

/** Send a file; `item.again` goes on at once instead of waiting for the next try. Resolves to the exhibit's id. Rejects with an Error whose message is a stable code. */
export function send(item, details, csrf, progress) {
  const known = begun(details.case)[item.fingerprint];
  const entry = { case: details.case, name: item.file.name, sha256: item.sha256, size: item.file.size, key: randomKey(), ...known };
  // Kept before anything is sent: when the answer to the creation is lost, the same key finds the same upload again.
  remember(item.fingerprint, entry);
  return new Promise((resolve, reject) => {
    const upload = new tus.Upload(item.file, {
      endpoint: "/api/v1/uploads",
      uploadUrl: known?.url ?? null,
      chunkSize: PART,
      retryDelays: [0, 1000, 3000, 8000, 20000, 60000],
      storeFingerprintForResuming: false,
      metadata: { ...details, filename: item.file.name, folder: item.folder, sha256: item.sha256 },
      onBeforeRequest(request) {
        if (request.getMethod() === "POST") request.setHeader("Idempotency-Key", entry.key);
        if (request.getMethod() !== "POST" && entry.token) request.setHeader("Authorization", `Upload ${entry.token}`);
        else request.setHeader("X-CSRF-Token", csrf);
      },
      onAfterResponse(request, response) {
        entry.exhibit = response.getHeader("Dalel-Exhibit") ?? entry.exhibit;
        if (request.getMethod() !== "POST" || response.getStatus() !== 201) return;
        entry.url = new URL(response.getHeader("Location"), location.href).href;
        entry.token = response.getHeader("Upload-Token") ?? undefined;
        remember(item.fingerprint, entry);
      },
      onShouldRetry(fault) {
        const status = fault.originalResponse?.getStatus() ?? 0;
        return status === 0 || status === 409 && ["upload.wrong_offset", "idempotency.in_progress"].includes(codeOf(fault.originalResponse)) || status === 423 || status >= 500;
      },
      onProgress: (sent) => progress(sent),
      onSuccess: () => resolve(entry.exhibit),
      onError(fault) {
        const answer = fault.originalResponse;
        const code = answer ? codeOf(answer) : undefined;
        const never = answer && !entry.url;
        if (never || ["upload.not_found", "upload.expired", "upload.terminated"].includes(code)) remember(item.fingerprint, null);
        reject(new Error(code ?? (answer ? "unknown" : "offline")));
      },
    });
    item.again = () => upload.abort().then(() => upload.start());
    upload.start();
  });
}

/** Ask until the server has re-read the file and decided. Rejects with the code it was refused with. */
export async function sealed(exhibit) {
  for (;;) {
    const answer = await fetch(`/api/v1/exhibits/${exhibit}`, { headers: { Accept: "application/json" } }).catch(() => null);
    const told = answer?.ok ? await answer.json() : null;
    if (told?.state === "sealed") return told;
    if (told?.state === "refused" || told?.state === "discarded") throw new Error(told.reason ?? "upload.refused");
    if (answer?.status === 404 || answer?.status === 401) throw new Error("session.expired");
    await pause(ASK_MS);
  }
}

// One file on its way: its digest from the worker, its bytes by tus.
import * as tus from "tus-js-client";

const PART = 16 * 1024 * 1024;
// Not at once: after a cut the server needs a moment to make durable what it has, and only then says how far that is.
const RETRY_MS = [1000, 2000, 4000, 8000];
const GONE = ["upload.not_found", "upload.expired", "upload.terminated", "access.not_found"];

/** What makes a file of a case the same after a reload: place, name, size and time, as this device tells them. */
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
      for (const job of this.waiting.values()) job.reject(new Error("upload.offline"));
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

export const randomKey = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

export const codeOf = (text) => {
  try {
    return JSON.parse(text).code;
  } catch {
    return undefined;
  }
};

/** Whether the same request may succeed by itself a little later. */
const passing = (status, code) =>
  status === 0 || status === 423 || status === 429 || status >= 500 ||
  (status === 409 && ["upload.wrong_offset", "upload.superseded", "idempotency.in_progress"].includes(code));

/**
 * Send a file; `item.url`, `.token`, `.key` and `.exhibit` are what is known of it and are kept by `keep` (awaited
 * before the creation: when its answer is lost, the same key finds the same upload again). `item.again` goes on at
 * once instead of waiting for the next try, `item.stop` ends it. Rejects with an Error whose message is a stable code.
 */
export async function send(item, details, csrf, keep, progress) {
  item.key ??= randomKey();
  await keep(item);
  return new Promise((resolve, reject) => {
    const upload = new tus.Upload(item.file, {
      endpoint: `${location.origin}/api/v1/uploads`, // whole: the browser's URL resolves an answer's Location against it
      uploadUrl: item.url ?? null,
      chunkSize: PART,
      retryDelays: RETRY_MS,
      storeFingerprintForResuming: false,
      metadata: { ...details, filename: item.name, folder: item.folder, sha256: item.sha256, recorded_at: item.recorded },
      onBeforeRequest(request) {
        const create = request.getMethod() === "POST";
        if (create) request.setHeader("Idempotency-Key", item.key);
        if (!create && item.token) request.setHeader("Authorization", `Upload ${item.token}`);
        else request.setHeader("X-CSRF-Token", csrf());
      },
      onAfterResponse(request, response) {
        item.exhibit = response.getHeader("Dalel-Exhibit") ?? item.exhibit;
        if (request.getMethod() !== "POST" || response.getStatus() !== 201) return;
        item.url = new URL(response.getHeader("Location"), location.href).href;
        item.token = response.getHeader("Upload-Token") ?? undefined;
        keep(item);
      },
      onShouldRetry(fault) {
        return passing(fault.originalResponse?.getStatus() ?? 0, codeOf(fault.originalResponse?.getBody()));
      },
      onProgress: (sent) => progress(sent),
      onSuccess: () => resolve(),
      onError(fault) {
        const answer = fault.originalResponse;
        const status = answer?.getStatus() ?? 0;
        const code = codeOf(answer?.getBody());
        if (GONE.includes(code)) item.url = item.token = item.exhibit = item.key = undefined;
        // Refused at the creation: nothing was made, so the next try is another act.
        if (status >= 400 && status < 500 && !item.url) item.key = undefined;
        keep(item);
        reject(new Error(status === 0 || status >= 502 ? "offline" : code ?? "unknown"));
      },
    });
    item.again = () => upload.abort().then(() => upload.start());
    item.stop = () => upload.abort().finally(() => reject(new Error("stopped")));
    upload.start();
  });
}

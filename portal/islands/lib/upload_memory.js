// What of a case was chosen, begun and finished on this device, so that a closed browser loses nothing: IndexedDB.
const NAME = "dalel-desk";
const promised = (request) => new Promise((ok, no) => { request.onsuccess = () => ok(request.result); request.onerror = () => no(request.error); });
const ended = (act) => new Promise((ok, no) => { act.oncomplete = () => ok(); act.onabort = act.onerror = () => no(act.error); });

/** The part of an item that outlives the page: no file, no row. The token opens this one upload and nothing else. */
const kept = ({ mark, caseId, folder, name, size, sha256, key, url, token, exhibit, number, state }) =>
  ({ mark, case: caseId, folder, name, size, sha256, key, url, token, exhibit, number, state });

export class Memory {
  /** Opens it. Without a database (a private window of some browsers) it forgets: sending works, resuming does not. */
  static async open(caseId) {
    const memory = new Memory();
    memory.caseId = caseId;
    memory.late = new Map();
    try {
      const opening = indexedDB.open(NAME, 1);
      opening.onupgradeneeded = () => {
        opening.result.createObjectStore("files", { keyPath: "mark" }).createIndex("case", "case");
        opening.result.createObjectStore("desks", { keyPath: "case" });
      };
      memory.database = await promised(opening);
    } catch {
      memory.database = null;
    }
    return memory;
  }

  /** Every file of the case by mark. */
  async files() {
    if (!this.database) return new Map();
    const found = await promised(this.database.transaction("files").objectStore("files").index("case").getAll(this.caseId));
    return new Map(found.map((entry) => [entry.mark, entry]));
  }

  /** How the files were described and, where the browser gives them, handles of what was dropped. */
  async desk() {
    return this.database ? (await promised(this.database.transaction("desks").objectStore("desks").get(this.caseId))) ?? {} : {};
  }

  async describe(values) {
    if (!this.database) return;
    const desk = { ...(await this.desk()), ...values, case: this.caseId };
    const act = this.database.transaction("desks", "readwrite");
    act.objectStore("desks").put(desk);
    await ended(act).catch(() => {});
  }

  /** Durable when it resolves. */
  async keep(items) {
    if (!this.database) return;
    for (const item of items) this.late.delete(item.mark);
    const act = this.database.transaction("files", "readwrite");
    for (const item of items) act.objectStore("files").put(kept(item));
    await ended(act);
  }

  /** Durable a moment later, many in one go. */
  soon(item) {
    if (!this.late.size) setTimeout(() => this.keep([...this.late.values()]).catch(() => {}), 300);
    this.late.set(item.mark, item);
  }

  async drop(marks) {
    for (const mark of marks) this.late.delete(mark);
    if (!this.database) return;
    const act = this.database.transaction("files", "readwrite");
    for (const mark of marks) act.objectStore("files").delete(mark);
    await ended(act);
  }
}

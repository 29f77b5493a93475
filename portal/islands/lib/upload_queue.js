// The way of many files: hashed one after another, asked about in batches, sent a few at a time, then asked after until
// the server has re-read each. One that fails is set aside with its reason and stops nothing.
import { Hasher, randomKey, send } from "./upload_item.js";

const SENDERS = 3;
const ASK_AT = 100;
const ASK_MS = 300;
const SEAL_MS = 1000;
const THERE_MS = 4000;
const MOST = 500;
// Small files go together: what a request costs is then paid once for many. The server takes 2 MiB, the listing included.
const SMALL = 256 * 1024;
const TOGETHER = 200;
const TOGETHER_BYTES = 1800 * 1024;
const isSmall = (item) => item.size <= SMALL && !item.url && !item.alone;
const listedBytes = ({ size, name, folder }) => size + 3 * (name.length + folder.length) + 400;

export class Queue {
  /** `desk` gives `details()`, `step(item, state, code)`, `moved(item, bytes)`, `connection(there)`, `settled()`. */
  constructor(server, memory, worker, desk) {
    Object.assign(this, { server, memory, worker, desk });
    this.waiting = [];
    this.hashed = [];
    this.ready = [];
    this.checking = new Set();
    this.sending = new Set();
    this.requests = 0;
    this.hashing = null;
    this.started = false;
    this.offline = false;
  }

  get busy() { return Boolean(this.sending.size || this.hashing || this.checking.size || this.ready.length || this.hashed.length || this.asking); }

  start() {
    this.started = true;
    this.#hash();
    this.#send();
  }

  /** An item that is to be sent, from the beginning of its way or from where it was. */
  take(item) {
    item.dropped = false;
    if (item.url && item.sha256) this.ready.push(item);
    else if (item.sha256) this.#ask(item);
    else this.waiting.push(item);
    this.desk.step(item, item.sha256 ? "queued" : "waiting");
    if (this.started) this.start();
  }

  /** Whether the server has sealed it is asked until it says so. */
  check(item) {
    this.desk.step(item, "checking");
    this.checking.add(item);
    this.#poll();
  }

  drop(item) {
    item.dropped = true;
    for (const line of [this.waiting, this.hashed, this.ready]) if (line.includes(item)) line.splice(line.indexOf(item), 1);
    if (this.sending.has(item)) item.stop?.();
  }

  /** The line may be back: what waits for its next try goes on now. */
  wake() {
    for (const item of this.sending) item.again?.();
    if (this.offline) this.#back();
  }

  async #hash() {
    if (this.hashing || !this.started) return;
    while ((this.hashing = this.waiting.shift())) {
      const item = this.hashing;
      this.desk.step(item, "hashing");
      try {
        if (this.hasher?.broken) this.hasher = null;
        this.hasher ??= new Hasher(this.worker);
        item.sha256 = await this.hasher.digest(item.file, (done) => this.desk.moved(item, done));
        this.memory.soon(item);
        if (item.dropped) continue;
        this.desk.step(item, "queued");
        this.#ask(item);
      } catch (fault) {
        if (!item.dropped) this.desk.step(item, "failed", fault.message);
      }
    }
    this.#settle();
  }

  #ask(item) {
    this.hashed.push(item);
    clearTimeout(this.timer);
    if (this.hashed.length >= ASK_AT) this.#survey();
    else this.timer = setTimeout(() => this.#survey(), this.requests < SENDERS ? ASK_MS / 3 : ASK_MS);
  }

  async #survey() {
    const items = this.hashed.splice(0, MOST);
    if (!items.length) return;
    this.asking = (this.asking ?? 0) + 1;
    try {
      const { found } = await this.server.survey(items);
      items.forEach((item, index) => item.dropped || this.#answer(item, found[index]));
    } catch (fault) {
      if (fault.message === "offline") {
        this.hashed.push(...items);
        this.#lost();
      } else for (const item of items) this.desk.step(item, "failed", fault.message);
    }
    this.asking -= 1;
    if (this.hashed.length && !this.offline) this.#survey();
    this.#send();
    this.#settle();
  }

  #answer(item, { state, exhibit, number, upload, code, mine: registered, destroyed }) {
    item.number = number ?? item.number;
    // Ours too when its creation was sent under a key and the answer was lost.
    const mine = exhibit && (exhibit === item.exhibit || (registered && item.key && !item.exhibit));
    if (state === "refused") this.desk.step(item, "failed", code);
    else if (state === "elsewhere") this.desk.step(item, "failed", "upload.elsewhere");
    else if (["sealed", "checking"].includes(state) || (state === "begun" && this.#mate(item))) {
      // Held already, or the same bytes under another name among these very files: sent once, and this one waits for it.
      Object.assign(item, { exhibit, twin: !mine });
      this.check(item);
    } else if (destroyed && item.exhibit && !item.url) {
      // Delivered from here and destroyed since: whether it is sent anew is for the person to say.
      this.check(item);
    } else {
      item.before = destroyed;
      // Begun on another day or another computer by the same person: one goes on with it instead of beginning anew.
      if (state === "new") item.key = undefined;
      if (state === "begun" && !item.url) Object.assign(item, { url: `${location.origin}/api/v1/uploads/${upload}`, exhibit, token: undefined });
      this.ready.push(item);
    }
  }

  #mate(item) {
    return [...this.sending, ...this.ready].some((other) => other !== item && other.sha256 === item.sha256);
  }

  #send() {
    while (this.started && !this.offline && this.requests < SENDERS && this.ready.length) {
      const items = this.#next();
      for (const item of items) this.sending.add(item);
      this.requests += 1;
      (items.length > 1 ? this.#carryTogether(items) : this.#carry(items[0])).finally(() => {
        for (const item of items) this.sending.delete(item);
        this.requests -= 1;
        this.#send();
        this.#settle();
      });
    }
  }

  /** The next to send: one, or as many small new ones as go in one request. */
  #next() {
    const items = [this.ready.shift()];
    if (!isSmall(items[0])) return items;
    let bytes = listedBytes(items[0]);
    while (this.ready.length && isSmall(this.ready[0]) && items.length < TOGETHER) {
      bytes += listedBytes(this.ready[0]);
      if (bytes > TOGETHER_BYTES) break;
      items.push(this.ready.shift());
    }
    return items;
  }

  async #carryTogether(items) {
    const key = randomKey();
    for (const item of items) {
      Object.assign(item, { key, flowing: false });
      this.desk.step(item, "sending");
    }
    let taken;
    try {
      await this.memory.keep(items);
      taken = await this.server.sendTogether(items, this.desk.details(), key);
    } catch (fault) {
      const offline = fault.message === "offline";
      for (const item of items.filter((one) => !one.dropped)) {
        // Without an answer the server is asked what it has; refused as a whole, each shows alone whether it is the cause.
        (offline ? this.hashed : this.ready).push(item);
        item.alone = !offline;
        this.desk.step(item, "queued");
      }
      if (offline) this.#lost();
      return;
    }
    items.forEach((item, index) => item.dropped || this.#taken(item, taken[index]));
    await this.memory.keep(items).catch(() => {});
  }

  #taken(item, { state, exhibit, code }) {
    if (state !== "refused") {
      Object.assign(item, { exhibit });
      this.desk.moved(item, item.size);
      this.check(item);
    } else if (code === "exhibit.duplicate") {
      item.key = undefined;
      this.#ask(item);
    } else this.desk.step(item, "failed", code);
  }

  async #carry(item) {
    this.desk.step(item, "sending");
    item.flowing = false;
    try {
      await send(item, this.desk.details(), () => this.server.csrf, (each) => this.memory.keep([each]), (done) => this.desk.moved(item, done));
      this.check(item);
    } catch (fault) {
      if (item.dropped) return;
      if (fault.message === "offline") {
        this.ready.unshift(item);
        this.desk.step(item, "queued");
        this.#lost();
      } else if (fault.message === "exhibit.duplicate" || fault.message === "upload.already_received") {
        item.url = item.token = item.key = undefined;
        this.#ask(item);
      } else this.desk.step(item, "failed", fault.message);
    }
  }

  async #poll() {
    if (this.polling) return;
    this.polling = true;
    while (this.checking.size) {
      await new Promise((resolve) => setTimeout(resolve, SEAL_MS));
      const asked = [...this.checking].slice(0, MOST);
      try {
        const told = await this.server.states([...new Set(asked.map((item) => item.exhibit))]);
        for (const item of asked) this.#told(item, told.get(item.exhibit));
      } catch (fault) {
        if (fault.message === "offline") continue;
        for (const item of asked) this.desk.step(item, "failed", fault.message);
        for (const item of asked) this.checking.delete(item);
      }
    }
    this.polling = false;
    this.#settle();
  }

  #told(item, answer) {
    this.checking.delete(item);
    if (answer && ["receiving", "checking", "draft"].includes(answer.state)) {
      // The slow ones go to the end, so that more than one batch is looked at in turn.
      this.checking.add(item);
      return;
    }
    item.number = answer?.number;
    if (answer?.state === "sealed" && answer.sha256 === item.sha256) {
      item.url = item.token = item.key = undefined;
      this.desk.step(item, item.twin ? "duplicate" : "sealed");
      return;
    }
    item.url = item.token = item.key = item.exhibit = undefined;
    this.desk.step(item, "failed", answer?.reason ?? "upload.not_found");
  }

  /** No answer from the server: wait until there is one, however long that takes. */
  async #lost() {
    if (this.offline) return;
    this.offline = true;
    this.desk.connection(false);
    while (this.offline) {
      await new Promise((resolve) => setTimeout(resolve, THERE_MS));
      if (this.offline && (await this.server.there())) this.#back();
    }
  }

  #back() {
    this.offline = false;
    this.desk.connection(true);
    this.#survey();
    this.#send();
  }

  #settle() {
    if (this.started && !this.busy && !this.waiting.length) {
      this.started = false;
      this.desk.settled();
    }
  }
}

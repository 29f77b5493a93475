// Totals of many files, kept as they change: never counted anew, so that 100,000 files cost no more than one.
const WINDOW_MS = 10_000;
const HELD = ["sealed", "checking", "duplicate"];
export const LEFT = ["waiting", "hashing", "queued", "sending", "checking"];

export class Totals {
  constructor() {
    this.files = 0;
    this.bytes = 0;
    this.there = 0;
    this.flowed = 0;
    this.states = new Map();
    this.recent = [];
  }

  count(...states) {
    return states.reduce((sum, state) => sum + (this.states.get(state) ?? 0), 0);
  }

  get left() { return this.count(...LEFT); }

  add(item) {
    this.files += 1;
    this.bytes += item.size;
    item.counted = 0;
    this.step(item, null, item.state);
  }

  remove(item) {
    this.files -= 1;
    this.bytes -= item.size;
    this.there -= item.counted;
    this.states.set(item.state, this.count(item.state) - 1);
  }

  step(item, from, to) {
    if (from) this.states.set(from, this.count(from) - 1);
    this.states.set(to, this.count(to) + 1);
    if (HELD.includes(to)) this.#hold(item, item.size);
    else if (to !== "sending") this.#hold(item, 0);
  }

  /** So many bytes of a file are there. The first word of a resumed upload is no speed. */
  moved(item, bytes) {
    if (item.flowing) this.flowed += Math.max(0, bytes - item.counted);
    item.flowing = true;
    this.#hold(item, bytes);
  }

  #hold(item, bytes) {
    this.there += bytes - item.counted;
    item.counted = bytes;
  }

  /** Bytes per second over the last ten seconds; 0 while nothing is known. */
  speed(now) {
    this.recent = [...this.recent.filter((mark) => now - mark.at < WINDOW_MS), { at: now, flowed: this.flowed }];
    const [first] = this.recent;
    return now - first.at > 500 ? (1000 * (this.flowed - first.flowed)) / (now - first.at) : 0;
  }
}

// Strict readings of bytes and small texts: one spelling for each value. Mirrors custody/proof/strict.py and merkle.py.

/** What a parser raises: `reason` is one of a fixed set of English phrases, `detail` what it is about. */
class Fault extends Error {
  constructor(reason, detail = "") {
    super(reason);
    this.reason = reason;
    this.detail = detail;
  }
}

/** The package is refused at `step`, for `code`. */
class Refusal extends Error {
  constructor(step, code, values = {}) {
    super(code);
    this.step = step;
    this.code = code;
    this.values = values;
  }
}

/** What the outcome hangs on cannot be checked by this browser. */
class Unchecked extends Error {}

/** Run `act`; a Fault inside is a refusal at this step. */
async function at(step, code, values, act) {
  try {
    return await act();
  } catch (fault) {
    if (!(fault instanceof Fault)) throw fault;
    throw new Refusal(step, code, { ...values, reason: fault.reason, detail: fault.detail });
  }
}

const UTF8 = new TextEncoder();

function utf8(bytes, reason) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Fault(reason);
  }
}

function hex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function same(left, right) {
  return left.length === right.length && left.every((byte, index) => byte === right[index]);
}

function joined(...parts) {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let place = 0;
  for (const part of parts) {
    whole.set(part, place);
    place += part.length;
  }
  return whole;
}

/** Order by code point, as Python sorts text; JavaScript's own order is by UTF-16 unit. */
function byCodePoint(left, right) {
  const [a, b] = [Array.from(left), Array.from(right)];
  for (let index = 0; index < Math.min(a.length, b.length); index += 1) {
    const difference = a[index].codePointAt(0) - b[index].codePointAt(0);
    if (difference) return difference;
  }
  return a.length - b.length;
}

const MAX_NUMBER = 2n ** 63n - 1n;

/** A number 0..2^63-1 as a BigInt: ASCII digits without sign, leading zero or spaces. */
function decimal(text) {
  if (!/^(?:0|[1-9][0-9]{0,18})$/.test(text)) throw new Fault("a number is not a plain decimal");
  const value = BigInt(text);
  if (value > MAX_NUMBER) throw new Fault("a number is 2^63 or more");
  return value;
}

function base64Text(bytes) {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

/** The bytes of a standard, padded base64 text; only the spelling that `base64Text` writes. */
function base64Bytes(text, size = null) {
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)) throw new Fault("not base64");
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  if (base64Text(bytes) !== text) throw new Fault("base64 with another spelling of the same bytes");
  if (size !== null && bytes.length !== size) throw new Fault("base64 of another number of bytes than needed");
  return bytes;
}

const K = (() => {
  const primes = [];
  for (let number = 2; primes.length < 64; number += 1) {
    if (primes.every((prime) => number % prime)) primes.push(number);
  }
  const part = (root) => ((root - Math.floor(root)) * 2 ** 32) | 0;
  return { round: Int32Array.from(primes, (p) => part(Math.cbrt(p))), start: primes.slice(0, 8).map((p) => part(p ** 0.5)) };
})();

/** SHA-256 (FIPS 180-4) over bytes that come in pieces: WebCrypto takes a file only whole. */
class Sha256 {
  constructor() {
    this.state = Int32Array.from(K.start);
    this.words = new Int32Array(64);
    this.rest = new Uint8Array(64);
    this.held = 0;
    this.length = 0;
  }

  update(bytes) {
    this.length += bytes.length;
    let place = 0;
    if (this.held) {
      place = Math.min(64 - this.held, bytes.length);
      this.rest.set(bytes.subarray(0, place), this.held);
      this.held += place;
      if (this.held < 64) return this;
      this.block(this.rest, 0);
    }
    for (; place + 64 <= bytes.length; place += 64) this.block(bytes, place);
    this.held = bytes.length - place;
    this.rest.set(bytes.subarray(place));
    return this;
  }

  digest() {
    const bits = BigInt(this.length) * 8n;
    const padding = new Uint8Array((this.held < 56 ? 56 : 120) - this.held + 8);
    padding[0] = 0x80;
    new DataView(padding.buffer).setBigUint64(padding.length - 8, bits);
    this.update(padding);
    const out = new DataView(new ArrayBuffer(32));
    this.state.forEach((word, index) => out.setInt32(index * 4, word));
    return new Uint8Array(out.buffer);
  }

  block(bytes, from) {
    const w = this.words;
    for (let i = 0, p = from; i < 16; i += 1, p += 4) {
      w[i] = (bytes[p] << 24) | (bytes[p + 1] << 16) | (bytes[p + 2] << 8) | bytes[p + 3];
    }
    for (let i = 16; i < 64; i += 1) {
      const x = w[i - 15];
      const y = w[i - 2];
      const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
      const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
      w[i] = (w[i - 16] + s0 + w[i - 7] + s1) | 0;
    }
    let [a, b, c, d, e, f, g, h] = this.state;
    for (let i = 0; i < 64; i += 1) {
      const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
      const t1 = (h + s1 + ((e & f) ^ (~e & g)) + K.round[i] + w[i]) | 0;
      const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
      const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g;
      g = f;
      f = e;
      e = (d + t1) | 0;
      d = c;
      c = b;
      b = a;
      a = (t1 + t2) | 0;
    }
    const s = this.state;
    [a, b, c, d, e, f, g, h].forEach((word, index) => {
      s[index] = (s[index] + word) | 0;
    });
  }
}

function sha256(...parts) {
  const hasher = new Sha256();
  for (const part of parts) hasher.update(part);
  return hasher.digest();
}

const leafHash = (leaf) => sha256(Uint8Array.of(0), leaf);
const nodeHash = (left, right) => sha256(Uint8Array.of(1), left, right);

/** Raises unless the leaf stands at `index` in the tree of `size` and `root` (RFC 9162 §2.1.3.2). */
function verifyInclusion(leaf, index, size, proof, root) {
  if (index >= size) throw new Fault("the index is not below the tree's size");
  const inner = index === size - 1n ? 0 : (index ^ (size - 1n)).toString(2).length;
  const ones = (index >> BigInt(inner)).toString(2).replaceAll("0", "").length;
  if (proof.length !== inner + ones) {
    throw new Fault("the inclusion proof has not the length its index and size ask for");
  }
  let current = leaf;
  proof.forEach((sibling, height) => {
    const onTheLeft = height >= inner || (index >> BigInt(height)) & 1n;
    current = onTheLeft ? nodeHash(sibling, current) : nodeHash(current, sibling);
  });
  if (!same(current, root)) throw new Fault("the inclusion proof leads to another root");
}

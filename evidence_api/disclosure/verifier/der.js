// DER and the certificates of time-stamping authorities. Mirrors custody/proof/der.py; certificates as RFC 5280 has them.

const TAG = { BOOLEAN: 1, INTEGER: 2, BITS: 3, OCTETS: 4, NULL: 5, OID: 6, UTC: 23, TIME: 24, SEQUENCE: 48, SET: 49 };
const context = (number) => 0xa0 | number;

/** Takes elements one after the other; a Fault for what is not strict DER. An element: tag, content, raw bytes. */
class Der {
  constructor(bytes) {
    this.rest = bytes;
  }

  next() {
    const data = this.rest;
    const wrong = () => {
      throw new Fault("not strict DER");
    };
    if (data.length < 2 || (data[0] & 0x1f) === 0x1f) wrong();
    let [length, start] = [data[1], 2];
    if (length & 0x80) {
      const count = length & 0x7f;
      const digits = data.subarray(2, 2 + count);
      if (count < 1 || count > 4 || digits.length !== count || !digits[0]) wrong();
      length = digits.reduce((value, digit) => value * 256 + digit, 0);
      start += count;
      if (length < 0x80) wrong();
    }
    if (data.length < start + length) wrong();
    this.rest = data.subarray(start + length);
    return { tag: data[0], content: data.subarray(start, start + length), raw: data.subarray(0, start + length) };
  }

  take(tag) {
    const before = this.rest;
    const element = this.next();
    if (element.tag === tag) return element;
    this.rest = before;
    throw new Fault("an element of another kind stands where it must not");
  }

  optional(tag) {
    return this.rest[0] === tag ? this.take(tag) : null;
  }

  inside(tag) {
    return new Der(this.take(tag).content);
  }

  all() {
    const found = [];
    while (this.rest.length) found.push(this.next());
    return found;
  }

  end() {
    if (this.rest.length) throw new Fault("bytes are left over");
  }
}

/** The one element that these bytes are. */
function wholeDer(bytes, tag) {
  const reader = new Der(bytes);
  const element = reader.take(tag);
  reader.end();
  return element;
}

/** The bytes of an INTEGER, which must be its shortest form. */
function integerBytes({ content }) {
  const shorter = content.length > 1 && ((!content[0] && content[1] < 128) || (content[0] === 255 && content[1] > 127));
  if (!content.length || shorter) throw new Fault("not strict DER");
  return content;
}

const isInteger = (element, value) => same(integerBytes(element), Uint8Array.of(value));

/** The dotted text of an OBJECT IDENTIFIER. */
function oidText({ content }) {
  const numbers = [];
  let [value, begun] = [0n, false];
  for (const octet of content) {
    if (!begun && octet === 0x80) throw new Fault("not strict DER");
    value = (value << 7n) | BigInt(octet & 0x7f);
    begun = octet > 127;
    if (begun) continue;
    numbers.push(value);
    value = 0n;
  }
  if (begun || !numbers.length) throw new Fault("not strict DER");
  const first = numbers[0] < 80n ? numbers[0] / 40n : 2n;
  return [first, numbers[0] - 40n * first, ...numbers.slice(1)].join(".");
}

/** Seconds since 1970 of year, month … second in ASCII digits, or null for a moment that there is not. */
function secondsOf(digits) {
  const [year, ...rest] = [digits.slice(0, 4), ...digits.slice(4).match(/../g)].map(Number);
  const moment = new Date(0);
  moment.setUTCFullYear(year, rest[0] - 1, rest[1]);
  moment.setUTCHours(...rest.slice(2));
  const again = moment.toISOString().replace(/[-:T]/g, "").slice(0, 14);
  return year > 0 && again === digits ? moment.getTime() / 1000 : null;
}

const latin = (bytes) => new TextDecoder("latin1").decode(bytes);

/** A time in a certificate (RFC 5280 §4.1.2.5), in seconds since 1970. */
function certificateTime(element) {
  const text = latin(element.content);
  const digits = element.tag === TAG.UTC ? (text < "5" ? "20" : "19") + text : text;
  const seconds = [TAG.UTC, TAG.TIME].includes(element.tag) && /^[0-9]{14}Z$/.test(digits) ? secondsOf(digits.slice(0, 14)) : null;
  if (seconds === null) throw new Fault("not strict DER");
  return seconds;
}

/** A certificate from its DER. */
function parseCertificate(raw) {
  const outer = new Der(wholeDer(raw, TAG.SEQUENCE).content);
  const tbs = outer.take(TAG.SEQUENCE);
  const algorithm = outer.take(TAG.SEQUENCE);
  const signature = bitString(outer.take(TAG.BITS));
  outer.end();
  const body = certificateBody(tbs, algorithm);
  return { raw, tbs: tbs.raw, algorithm: algorithmOid(algorithm), signature, name: nameText(body.subject), ...body };
}

/** A certificate, or null: no signature covers what a token carries along, and whoever is needed is missed later. */
function readableCertificate(raw) {
  try {
    return parseCertificate(raw);
  } catch (fault) {
    if (!(fault instanceof Fault)) throw fault;
    return null;
  }
}

function certificateBody(tbs, algorithm) {
  const reader = new Der(tbs.content);
  const version = reader.inside(context(0));
  if (!isInteger(version.take(TAG.INTEGER), 2)) throw new Fault("not strict DER");
  version.end();
  const serial = integerBytes(reader.take(TAG.INTEGER));
  if (!same(reader.take(TAG.SEQUENCE).raw, algorithm.raw)) throw new Fault("not strict DER");
  const issuer = reader.take(TAG.SEQUENCE).raw;
  const [from, until] = reader.inside(TAG.SEQUENCE).all().map(certificateTime);
  const subject = reader.take(TAG.SEQUENCE).raw;
  const key = reader.take(TAG.SEQUENCE);
  if (until === undefined) throw new Fault("not strict DER");
  reader.optional(0x81);
  reader.optional(0x82);
  const extensions = reader.optional(context(3));
  reader.end();
  return { serial, issuer, subject, from, until, key: publicKey(key), extensions: extensionsIn(extensions) };
}

function extensionsIn(element) {
  const found = new Map();
  if (!element) return found;
  for (const one of new Der(wholeDer(element.content, TAG.SEQUENCE).content).all()) {
    const parts = new Der(one.content);
    const name = oidText(parts.take(TAG.OID));
    const critical = parts.optional(TAG.BOOLEAN) !== null;
    const value = parts.take(TAG.OCTETS).content;
    parts.end();
    if (found.has(name)) throw new Fault("not strict DER");
    found.set(name, { critical, value });
  }
  return found;
}

function bitString({ content }) {
  if (content[0] !== 0) throw new Fault("not strict DER");
  return content.subarray(1);
}

const algorithmOid = (element) => oidText(new Der(element.content).take(TAG.OID));

const CURVES = { "1.2.840.10045.3.1.7": ["P-256", 32], "1.3.132.0.34": ["P-384", 48], "1.3.132.0.35": ["P-521", 66] };

/** What kind of key it is, and its SubjectPublicKeyInfo, which the browser reads itself. */
function publicKey(info) {
  const reader = new Der(info.content);
  const algorithm = reader.inside(TAG.SEQUENCE);
  const kind = oidText(algorithm.take(TAG.OID));
  const spki = info.raw;
  if (kind === "1.2.840.113549.1.1.1") return { kind: "RSA", spki };
  if (kind === "1.3.101.112") return { kind: "Ed25519", spki };
  const curve = kind === "1.2.840.10045.2.1" ? CURVES[oidText(algorithm.take(TAG.OID))] : undefined;
  return curve ? { kind: "EC", spki, curve: curve[0], size: curve[1] } : { kind: null, spki };
}

/** Whether the key signed the message with this digest; false too for what the browser cannot read. */
async function keySigned(key, digest, signature, message) {
  const hash = digest.replace("sha", "SHA-");
  try {
    const [algorithm, use, bytes] = {
      RSA: () => [{ name: "RSASSA-PKCS1-v1_5", hash }, "RSASSA-PKCS1-v1_5", signature],
      EC: () => [{ name: "ECDSA", namedCurve: key.curve }, { name: "ECDSA", hash }, plainSignature(signature, key.size)],
      Ed25519: () => ["Ed25519", "Ed25519", signature],
    }[key.kind]();
    const imported = await crypto.subtle.importKey("spki", key.spki, algorithm, false, ["verify"]);
    return await crypto.subtle.verify(use, imported, bytes, message);
  } catch {
    return false;
  }
}

/** An ECDSA signature as the browser wants it: r and s side by side (RFC 3279 §2.2.3 has them as a SEQUENCE). */
function plainSignature(signature, size) {
  const reader = new Der(wholeDer(signature, TAG.SEQUENCE).content);
  const out = new Uint8Array(2 * size);
  for (const end of [size, 2 * size]) {
    const number = integerBytes(reader.take(TAG.INTEGER));
    const digits = number[0] ? number : number.subarray(1);
    if (number[0] > 127 || digits.length > size) throw new Fault("not strict DER");
    out.set(digits, end - digits.length);
  }
  reader.end();
  return out;
}

const NAMES = {
  "2.5.4.3": "CN",
  "2.5.4.7": "L",
  "2.5.4.8": "ST",
  "2.5.4.10": "O",
  "2.5.4.11": "OU",
  "2.5.4.6": "C",
  "2.5.4.9": "STREET",
  "0.9.2342.19200300.100.1.25": "DC",
  "0.9.2342.19200300.100.1.1": "UID",
};

/** A name as text (RFC 4514). */
function nameText(raw) {
  const parts = new Der(wholeDer(raw, TAG.SEQUENCE).content).all().map((set) =>
    new Der(set.content)
      .all()
      .map((attribute) => {
        const reader = new Der(attribute.content);
        const name = oidText(reader.take(TAG.OID));
        return `${NAMES[name] ?? name}=${escapedValue(reader.next())}`;
      })
      .join("+"),
  );
  return parts.reverse().join(",");
}

function escapedValue({ tag, content }) {
  if (tag === TAG.BITS) return `#${hex(bitString({ content }))}`;
  const text = tag === 0x1e ? new TextDecoder("utf-16be").decode(content) : utf8(content, "not strict DER");
  const escaped = text.replace(/[\\"+,;<>]/g, "\\$&").replaceAll("\0", "\\00");
  const begun = /^#|^ ./su.test(escaped) ? `\\${escaped}` : escaped;
  return begun.endsWith(" ") ? `${begun.slice(0, -1)}\\ ` : begun;
}

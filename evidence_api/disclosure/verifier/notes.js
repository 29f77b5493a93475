// Signed notes, checkpoints, cosignatures, policies. Mirrors custody/proof/{note,checkpoint,cosignature,policy}.py.

const NOTE_BYTES = 1_000_000;
const [LOG_KEY, WITNESS_KEY, ML_DSA_KEY] = [1, 4, 6];
const ML_DSA = "ML-DSA-44";
const ML_DSA_BYTES = 1312;
const SIGNATURE_BYTES = { [WITNESS_KEY]: 64, [ML_DSA_KEY]: 2420 };
const WHITE = /[\u0000-\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;

function checkName(name) {
  if (!name || name.includes("+") || WHITE.test(name)) {
    throw new Fault("a key name is empty or has a space, a plus or a control character");
  }
  if (/\p{Cs}/u.test(name)) throw new Fault("a text has a lone surrogate");
  return name;
}

/** The key a vkey says: `name+<8 hex>+<base64>`. */
function parseVkey(text) {
  const [name, id, ...rest] = text.split("+");
  if (!rest.length) throw new Fault("a verifier key has not three parts");
  const key = base64Bytes(rest.join("+"));
  if (key[0] === ML_DSA_KEY) checkMlDsaKey(name, key.subarray(1));
  else if (![LOG_KEY, WITNESS_KEY].includes(key[0]) || key.length !== 33) {
    throw new Fault("a verifier key is not Ed25519 of type 1 or 4, or ML-DSA-44 of type 6");
  } else if (!isSound(key.subarray(1))) throw new Fault("a verifier key is one under which anybody can sign");
  checkName(name);
  const keyId = sha256(UTF8.encode(`${name}\n`), key).subarray(0, 4);
  if (id !== hex(keyId)) throw new Fault("a verifier key's id is not the one of its name and key");
  return { name, type: key[0], key: key.subarray(1), id: keyId };
}

function checkMlDsaKey(name, key) {
  if (UTF8.encode(name).length > 255) throw new Fault("a witness's name is longer than 255 bytes");
  if (key.length !== ML_DSA_BYTES) {
    throw new Fault("a verifier key is not one of ML-DSA-44, or the library here is too old for it");
  }
}

/** How a witness is told to people: its name, and the kind of its key if that is not the usual one. */
const labelOf = (verifier) => (verifier.type === ML_DSA_KEY ? `${verifier.name} (${ML_DSA})` : verifier.name);

/** A note: its text and its signature lines. Nothing has been verified. */
function parseNote(bytes) {
  if (bytes.length > NOTE_BYTES) throw new Fault("a note is larger than 1 MB");
  const whole = utf8(bytes, "a note is not UTF-8");
  // eslint-disable-next-line no-control-regex
  if (/[\x00-\x09\x0b-\x1f]/.test(whole)) throw new Fault("a note has a control character");
  const cut = whole.lastIndexOf("\n\n");
  if (cut < 0 || !whole.slice(cut + 2).endsWith("\n")) {
    throw new Fault("a note has no empty line followed by signature lines");
  }
  const signatures = whole.slice(cut + 2, -1).split("\n").map(signatureLine);
  if (signatures.length > 100) throw new Fault("a note has more than 100 signatures");
  return { text: whole.slice(0, cut + 1), signatures };
}

function signatureLine(line) {
  const match = /^\u2014 ([^ ]*) ([^\n]*)$/u.exec(line);
  if (!match) throw new Fault("a signature line is not a dash, a name and a signature");
  const data = base64Bytes(match[2]);
  if (data.length <= 4) throw new Fault("a signature is too short");
  return { name: checkName(match[1]), id: data.subarray(0, 4), payload: data.subarray(4) };
}

/** What the checkpoint in a note's text says. */
function parseCheckpoint(text) {
  const parts = text.split("\n");
  if (parts.length < 4 || parts.at(-1)) {
    throw new Fault("a checkpoint is not at least three lines, each ended by a newline");
  }
  const [origin, size, root, ...extensions] = parts.slice(0, -1);
  const head = { origin, size: decimal(size), root: base64Bytes(root, 32), extensions };
  if ([origin, ...extensions].some((line) => !line)) {
    throw new Fault("an origin or extension line is empty or has a control character");
  }
  if (UTF8.encode(origin).length > 255) throw new Fault("an origin is longer than 255 bytes");
  return head;
}

const FIELD = 2n ** 255n - 19n;
const ORDER_8 = 0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n;
const SMALL_ORDER = [0n, 1n, FIELD - 1n, ORDER_8, FIELD - ORDER_8];

/** Whether 32 bytes are the canonical encoding of a y coordinate that no point of small order has (ed25519.py). */
function isSound(point) {
  if (point.length !== 32) return false;
  const y = BigInt(`0x${hex(point.slice().reverse())}`) & (2n ** 255n - 1n);
  return y < FIELD && !SMALL_ORDER.includes(y);
}

async function verifyBytes(verifier, message, signature) {
  const fits = verifier.type === ML_DSA_KEY ? mlDsaSigned : ed25519Signed;
  if (!(await fits(verifier, message, signature))) {
    throw new Fault("a signature does not fit the text", verifier.name);
  }
}

async function ed25519Signed(verifier, message, signature) {
  if (!isSound(verifier.key) || !isSound(signature.slice(0, 32))) return false;
  try {
    const key = await crypto.subtle.importKey("raw", verifier.key, "Ed25519", false, ["verify"]);
    return await crypto.subtle.verify("Ed25519", key, signature, message);
  } catch {
    return false;
  }
}

const mlDsaKey = (raw) => crypto.subtle.importKey("raw-public", raw, ML_DSA, false, ["verify"]);

async function mlDsaSigned(verifier, message, signature) {
  try {
    return await crypto.subtle.verify(ML_DSA, await mlDsaKey(verifier.key), signature, message);
  } catch {
    return false;
  }
}

/** Whether this browser verifies ML-DSA-44. One that does takes every key of the right length. */
async function knowsMlDsa() {
  try {
    await mlDsaKey(new Uint8Array(ML_DSA_BYTES));
    return true;
  } catch {
    return false;
  }
}

const linesOf = (note, verifier) =>
  note.signatures.filter((line) => line.name === verifier.name && same(line.id, verifier.id));

/** The log's key, found to have signed its checkpoint; the key's name must be the checkpoint's origin. */
async function verifyLog(policy, note) {
  const signers = [];
  for (const verifier of policy.logs) {
    const found = linesOf(note, verifier);
    for (const line of found) await verifyBytes(verifier, UTF8.encode(note.text), line.payload);
    if (found.length) signers.push(verifier);
  }
  if (!signers.length) throw new Fault("no known key has signed the note");
  const head = parseCheckpoint(note.text);
  const log = signers.find((signer) => signer.name === head.origin);
  if (!log) throw new Fault("the checkpoint's origin is not the name of the key that signed it");
  return log;
}

/** The time a witness claims in its line, once the line has its form; its signature is another matter. */
function claimedTime(line, verifier) {
  const { payload } = line;
  const time = payload.length < 8 ? null : new DataView(payload.slice(0, 8).buffer).getBigUint64(0);
  if (payload.length !== 8 + SIGNATURE_BYTES[verifier.type] || time > MAX_NUMBER) {
    throw new Fault("a cosignature has not the form of one", verifier.name);
  }
  return time;
}

/** What a witness signs: the text with the time, or label, name, time, origin, start, end and root of the tree. */
function cosigned(note, verifier, time) {
  if (verifier.type === WITNESS_KEY) return UTF8.encode(`cosignature/v1\ntime ${time}\n${note.text}`);
  const head = parseCheckpoint(note.text);
  if (head.extensions.length) throw new Fault("a signature does not fit the text", verifier.name);
  const [name, origin] = [verifier.name, head.origin].map((text) => UTF8.encode(text));
  const numbers = [time, 0n, head.size].map((number) => {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, number);
    return bytes;
  });
  const [at, start, end] = numbers;
  const parts = [UTF8.encode("subtree/v1\n\0"), [name.length], name, at, [origin.length], origin, start, end, head.root];
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

/**
 * The witnesses that cosigned, by their names in the policy, with the time each claims; a false line is a Fault. Those
 * whose lines this browser cannot check are in `unchecked` instead: they count neither for nor against.
 */
async function cosigners(policy, note, now) {
  const [found, unchecked, able] = [new Map(), new Set(), await knowsMlDsa()];
  for (const [name, verifier] of policy.witnesses) {
    let latest = null;
    for (const line of linesOf(note, verifier)) {
      const time = claimedTime(line, verifier);
      const message = cosigned(note, verifier, time);
      if (verifier.type === ML_DSA_KEY && !able) {
        unchecked.add(name);
        continue;
      }
      await verifyBytes(verifier, message, line.payload.subarray(8));
      latest = latest === null || time > latest ? time : latest;
    }
    if (latest === null) continue;
    if (latest > now) throw new Fault("a cosignature is from the future", verifier.name);
    found.set(name, latest);
  }
  return { found, unchecked };
}

function agrees(policy, name, found) {
  const group = policy.groups.get(name);
  if (!group) return found.has(name);
  return group.members.filter((member) => agrees(policy, member, found)).length >= group.threshold;
}

const reached = (policy, found) => policy.quorum === "none" || agrees(policy, policy.quorum, found);

/** Bytes as text in which those that are not UTF-8 stand for themselves, as the command reads them. */
function opaqueText(bytes) {
  const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let text = "";
  for (let place = 0; place < bytes.length; ) {
    const length = bytes[place] < 0x80 ? 1 : bytes[place] < 0xe0 ? 2 : bytes[place] < 0xf0 ? 3 : 4;
    try {
      text += strict.decode(bytes.subarray(place, place + length));
      place += length;
    } catch {
      text += String.fromCharCode(0xdc00 + bytes[place]);
      place += 1;
    }
  }
  return text;
}

/** A trust policy (C2SP tlog-policy) from its bytes. */
function parsePolicy(bytes) {
  if (bytes.length > 100_000) throw new Fault("the policy is larger than 100 kB");
  const control = (byte) => (byte < 32 && byte !== 9 && byte !== 10) || byte === 127;
  if (bytes.some(control)) throw new Fault("the policy has a control character");
  if (bytes.at(-1) !== 10) throw new Fault("the policy does not end in a newline");
  const policy = { logs: [], witnesses: new Map(), groups: new Map(), used: new Set(), quorum: null };
  for (const line of opaqueText(bytes).slice(0, -1).split("\n")) {
    const stripped = line.replace(/^[ \t]+|[ \t]+$/g, "");
    if (stripped && !stripped.startsWith("#")) statement(policy, stripped.split(/[ \t]+/));
  }
  if (policy.quorum === null) throw new Fault("the policy has no quorum line");
  return policy;
}

function statement(policy, words) {
  const [kind, name, ...rest] = words;
  if (kind === "log" && [2, 3].includes(words.length)) {
    policy.logs.push(policyKey(name, [LOG_KEY], policy.logs));
  } else if (kind === "witness" && [3, 4].includes(words.length)) {
    const verifier = policyKey(rest[0], [WITNESS_KEY, ML_DSA_KEY], [...policy.witnesses.values()]);
    policy.witnesses.set(fresh(policy, name), verifier);
  } else if (kind === "group" && words.length >= 4) {
    const group = policyGroup(policy, rest[0], rest.slice(1));
    policy.groups.set(fresh(policy, name), group);
  } else if (kind === "quorum" && words.length === 2 && policy.quorum === null) {
    policy.quorum = name === "none" ? name : known(policy, name);
  } else {
    throw new Fault("the policy has a line that is none of log, witness, group and one quorum");
  }
}

function fresh(policy, name) {
  if (name === "none" || policy.witnesses.has(name) || policy.groups.has(name)) {
    throw new Fault("a name in the policy is defined twice or reserved");
  }
  return name;
}

function known(policy, name) {
  if (!policy.witnesses.has(name) && !policy.groups.has(name)) {
    throw new Fault("the policy refers to a name it has not defined before");
  }
  return name;
}

function policyKey(text, types, others) {
  const verifier = parseVkey(text);
  if (!types.includes(verifier.type)) throw new Fault("the policy has a key of another kind than its line asks for");
  if (others.some((other) => same(other.key, verifier.key))) throw new Fault("the policy has one key twice");
  return verifier;
}

function policyGroup(policy, text, members) {
  for (const member of members) {
    if (policy.used.has(known(policy, member))) throw new Fault("the policy has one name as a member twice");
    policy.used.add(member);
  }
  const counts = { all: members.length, any: 1 };
  const threshold = Object.hasOwn(counts, text) ? counts[text] : Number(decimal(text));
  if (threshold < 1 || threshold > members.length) {
    throw new Fault("the policy has a group whose threshold is not 1 to its number of members");
  }
  return { threshold, members };
}

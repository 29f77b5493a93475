// What the files of a package may look like. Mirrors custody/proof/{canonical,grammar,disclosure,bundle}.py.

const MAX_INT = Number.MAX_SAFE_INTEGER;
const MAX_DEPTH = 32;

/** JSON as strictly as the ledger writes it; objects without prototype. Raises Fault at the first thing amiss. */
class Json {
  constructor(text) {
    this.text = text;
    this.place = 0;
  }

  whole() {
    this.space();
    const value = this.value(0);
    this.space();
    if (this.place !== this.text.length) this.wrong();
    return value;
  }

  wrong() {
    throw new Fault("not JSON, or nested too deeply");
  }

  take(pattern) {
    pattern.lastIndex = this.place;
    const found = pattern.exec(this.text);
    if (found) this.place = pattern.lastIndex;
    return found?.[0] ?? null;
  }

  space() {
    this.take(/[ \t\n\r]*/y);
  }

  value(depth) {
    if (depth > 500) this.wrong();
    switch (this.text[this.place]) {
      case "{":
        return this.object(depth);
      case "[":
        return this.array(depth);
      case '"':
        return this.string();
      default:
        return this.plain();
    }
  }

  plain() {
    const word = this.take(/true|false|null|NaN|-?Infinity|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?/y);
    if (word === null) this.wrong();
    if (word === "null") return null;
    if (word === "true" || word === "false") return word === "true";
    if (!/^-?[0-9]+$/.test(word)) throw new Fault("a number that is not an integer");
    if (word.length > 17 || Math.abs(Number(word)) > MAX_INT) throw new Fault("an integer of 2^53 or more");
    return Number(word) + 0;
  }

  string() {
    // eslint-disable-next-line no-control-regex
    const raw = this.take(/"(?:[^"\\\x00-\x1f]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*"/y);
    if (raw === null) this.wrong();
    return JSON.parse(raw);
  }

  array(depth) {
    const items = [];
    this.place += 1;
    this.space();
    if (this.take(/\]/y)) return items;
    do {
      this.space();
      items.push(this.value(depth + 1));
      this.space();
    } while (this.take(/,/y));
    if (!this.take(/\]/y)) this.wrong();
    return items;
  }

  object(depth) {
    const pairs = [];
    this.place += 1;
    this.space();
    if (!this.take(/\}/y)) {
      do {
        this.space();
        const key = this.string();
        this.space();
        if (!this.take(/:/y)) this.wrong();
        this.space();
        pairs.push([key, this.value(depth + 1)]);
        this.space();
      } while (this.take(/,/y));
      if (!this.take(/\}/y)) this.wrong();
    }
    const value = Object.create(null);
    for (const [key, entry] of pairs) {
      if (key in value) throw new Fault("a key twice in one object");
      value[key] = entry;
    }
    // eslint-disable-next-line no-control-regex
    if (!pairs.every(([key]) => /^[\x00-\x7f]*$/.test(key))) throw new Fault("an object key that is not ASCII text");
    return value;
  }
}

function written(value) {
  if (Array.isArray(value)) return `[${value.map(written).join(",")}]`;
  if (value !== null && typeof value === "object") {
    const keys = Object.keys(value).sort();
    return `{${keys.map((key) => `${JSON.stringify(key)}:${written(value[key])}`).join(",")}}`;
  }
  if (typeof value === "string" && /\p{Cs}/u.test(value)) throw new Fault("a lone surrogate");
  return JSON.stringify(value);
}

function checkDepth(value, left) {
  if (left < 0) throw new Fault("nested too deeply");
  if (value !== null && typeof value === "object") Object.values(value).forEach((entry) => checkDepth(entry, left - 1));
}

/** The JSON value whose canonical bytes these are; any other bytes raise Fault. */
function canonical(bytes) {
  const text = utf8(bytes, "not UTF-8");
  const value = new Json(text).whole();
  checkDepth(value, MAX_DEPTH);
  if (written(value) !== text) throw new Fault("another spelling than the canonical one");
  return value;
}

const SHA256 = /^sha256:[0-9a-f]{64}$/;
const UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";
const matches = (pattern) => (value) => typeof value === "string" && pattern.test(value);
const isUuid = matches(new RegExp(`^${UUID}$`));
const isItem = matches(new RegExp(`^(?:(?:case|exhibit|disclosure|account):${UUID}|system)$`));
const isSha256 = matches(SHA256);
const isText = (value) => typeof value === "string" && value !== "";
const isCount = (value) => Number.isInteger(value) && value >= 0;
const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
const orNull = (rule) => (value) => value === null || rule(value);
const equals = (expected) => (value) => value === expected;
const has = (object, name) => Object.hasOwn(object, name);

/** Exactly these fields, each satisfying its rule. */
function fields(value, rules) {
  const names = Object.keys(rules);
  if (!isObject(value) || Object.keys(value).length !== names.length || !names.every((name) => has(value, name))) {
    throw new Fault("an object has a field too many or too few");
  }
  for (const name of names) if (!rules[name](value[name])) throw new Fault("a field is not what it must be", name);
}

const LEAF = {
  v: equals(1),
  id: isUuid,
  type: isText,
  item: isItem,
  case: orNull(isUuid),
  time_ms: isCount,
  actor: isObject,
  personal: isObject,
  data: isObject,
  nonce: matches(/^[0-9a-f]{32}$/),
  item_seq: isCount,
  prev: orNull(isSha256),
};
const ACTOR = { id: orNull(isUuid), role: isText, means: isText };

/** The event whose canonical bytes these are. */
function event(leaf) {
  if (leaf.length > 65_535) throw new Fault("an event is longer than 65535 bytes");
  const value = canonical(leaf);
  fields(value, LEAF);
  if (!has(DATA.shapes, value.type)) throw new Fault("an event's type is not in the closed set");
  const [required, optional, personal] = DATA.shapes[value.type];
  fields(value.actor, ACTOR);
  const names = Object.keys(value.data);
  if (
    !required.every((name) => has(value.data, name)) ||
    !names.every((name) => required.includes(name) || optional.includes(name))
  ) {
    throw new Fault("an event's data has a field too many or too few for its type");
  }
  if (!Object.keys(value.personal).every((name) => personal.includes(name))) {
    throw new Fault("an event has a personal digest its type does not know");
  }
  if (!Object.values(value.personal).every(isSha256)) {
    throw new Fault("a digest is not sha256: and 64 lower-case hex digits");
  }
  for (const name of names) {
    if (DATA.ids.includes(name) && !isText(value.data[name])) throw new Fault("a field is not what it must be", name);
  }
  if ((value.item_seq === 0) !== (value.prev === null)) {
    throw new Fault("only an item's first event has no predecessor");
  }
  return { ...value, actor: value.actor.id, hash: leafHash(leaf) };
}

const MANIFEST = {
  v: equals(1),
  type: equals("dalel-disclosure"),
  disclosure: isUuid,
  case: isUuid,
  erdr: isText,
  round: (value) => isCount(value) && value !== 0,
  recipient: isText,
  released_ms: isCount,
  files: Array.isArray,
  withheld: Array.isArray,
  previous: orNull(isObject),
  exhibits_total: isCount,
};
const FILE = {
  path: isText,
  exhibit: isUuid,
  number: isCount,
  kind: matches(/^[a-z][a-z0-9_]{0,31}$/),
  sha256: isSha256,
  size_bytes: isCount,
  source_sha256: isSha256,
  rendition: orNull(isUuid),
};
const WITHHELD = { exhibit: isUuid, number: isCount, ground: isText };
const PREVIOUS = { disclosure: isUuid, manifest_sha256: isSha256 };

/** The disclosure manifest whose canonical bytes these are. */
function disclosure(bytes) {
  const value = canonical(bytes);
  fields(value, MANIFEST);
  value.files.forEach(checkFile);
  value.withheld.forEach((entry) => fields(entry, WITHHELD));
  if (value.previous !== null) fields(value.previous, PREVIOUS);
  const paths = new Set(value.files.map((file) => file.path));
  if (paths.size !== value.files.length) throw new Fault("a path stands twice in the manifest");
  const named = [...value.files, ...value.withheld];
  const pairs = new Set(named.map((entry) => `${entry.exhibit} ${entry.number}`));
  const exhibits = new Set(named.map((entry) => entry.exhibit));
  if (pairs.size !== exhibits.size || pairs.size !== new Set(named.map((entry) => entry.number)).size) {
    throw new Fault("an exhibit has two numbers, or a number two exhibits");
  }
  if (value.exhibits_total < exhibits.size) throw new Fault("the manifest names more exhibits than there are in all");
  return value;
}

function checkFile(file) {
  fields(file, FILE);
  try {
    entryName(file.path);
  } catch {
    throw new Fault("a file's path cannot be an entry of a package");
  }
  const match = /^data\/([0-9]{1,9})\/[^/]+$/.exec(file.path);
  if (!match || Number(match[1]) !== file.number) {
    throw new Fault("a file's path is not data/, its exhibit's number and a name");
  }
  if ((file.kind === "original") !== (file.rendition === null)) {
    throw new Fault("a file is an original with a rendition, or a rendition without one");
  }
  if (file.kind === "original" && file.source_sha256 !== file.sha256) {
    throw new Fault("an original is said to be made from something else");
  }
}

/** The lines of a text file, which each end in a newline. */
function lines(bytes) {
  const text = utf8(bytes, "a file is not UTF-8");
  if (text && !text.endsWith("\n")) throw new Fault("the last line has no newline");
  return text.split("\n").slice(0, -1);
}

/** The exact leaves of events.jsonl. */
function eventLines(bytes) {
  if (bytes.length && bytes.at(-1) !== 10) throw new Fault("the last line has no newline");
  const found = [];
  for (let start = 0, end = bytes.indexOf(10); end >= 0; start = end + 1, end = bytes.indexOf(10, start)) {
    found.push(bytes.subarray(start, end));
  }
  return found;
}

/** A BagIt manifest: entry to 64 hex digits; only the spelling our writer has. */
function digestLines(bytes) {
  const digests = new Map();
  for (const line of lines(bytes)) {
    const match = /^([0-9a-f]{64}) {2}([^\n]+)$/.exec(line);
    if (!match) throw new Fault("a line is not a digest, two spaces and a path");
    digests.set(entryName(match[2]), match[1]);
  }
  const entries = [...digests.keys()].sort(byCodePoint);
  const text = entries.map((entry) => `${digests.get(entry)}  ${entry}\n`).join("");
  if (!same(UTF8.encode(text), bytes)) throw new Fault("the list of digests is not sorted, or has a path twice");
  return digests;
}

/** The lines of bag-info.txt, each label once. */
function bagInfo(bytes) {
  const found = new Map();
  for (const line of lines(bytes)) {
    // eslint-disable-next-line no-control-regex
    const match = /^([A-Za-z0-9-]+): ([^\x00-\x1f\x7f]+)$/.exec(line);
    if (!match || found.has(match[1])) throw new Fault("a line is not a label and a value, or a label stands twice");
    found.set(match[1], match[2]);
  }
  return found;
}

/** Index and hashes of a line of proofs.txt. */
function proofLine(line) {
  const [index, ...hashes] = line.split(" ");
  if (hashes.length > 63) throw new Fault("a proof has more hashes than any tree needs");
  return [decimal(index), hashes.map((text) => base64Bytes(text, 32))];
}

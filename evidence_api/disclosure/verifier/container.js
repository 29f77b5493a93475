// The container of a package: a ZIP file, read without trusting it. Mirrors custody/proof/package.py.

const MAX_ENTRIES = 200_000;
const MAX_DIRECTORY_BYTES = 100_000_000;
const PIECE_BYTES = 4 << 20;
const BROKEN = "the archive is broken";

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

function crc32(bytes, before) {
  let value = before;
  for (let place = 0; place < bytes.length; place += 1) {
    value = CRC_TABLE[(value ^ bytes[place]) & 0xff] ^ (value >>> 8);
  }
  return value;
}

/** `text` if it can be an entry of a package. */
function entryName(text) {
  const parts = text.split("/");
  if (parts.some((part) => ["", ".", ".."].includes(part))) {
    throw new Fault("an entry's path is absolute, empty or climbs", text);
  }
  if (parts.some((part) => /[. ]$/.test(part))) {
    throw new Fault("an entry's path has a part that ends in a dot or a space", text);
  }
  // eslint-disable-next-line no-control-regex
  if (/[\x00-\x1f\x7f\\:*?"<>|%]|\p{Cs}/u.test(text)) {
    throw new Fault("an entry's path has a character that systems read differently", text);
  }
  if (UTF8.encode(text).length > 1000) throw new Fault("an entry's path is longer than 1000 bytes", text);
  return text;
}

/** A name as every system compares it: Unicode form and letter case ignored. */
function folded(text) {
  return Array.from(text.normalize("NFC"), (character) => DATA.folding[character] ?? character.toLowerCase()).join("");
}

async function bytesOf(file, from, to) {
  if (from < 0 || to > file.size || from > to) throw new Fault(BROKEN);
  return new Uint8Array(await file.slice(from, to).arrayBuffer());
}

const view = (bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function number64(bytes, place) {
  const value = view(bytes).getBigUint64(place, true);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new Fault(BROKEN);
  return Number(value);
}

/** Where the list of entries lies, from the end of the file (APPNOTE 4.3.14 to 4.3.16). */
async function directory(file) {
  const tail = await bytesOf(file, Math.max(0, file.size - 98), file.size);
  if (tail.length < 22) throw new Fault("not a ZIP file");
  const end = tail.subarray(tail.length - 22);
  const numbers = view(end);
  if (numbers.getUint32(0, true) !== 0x06054b50 || numbers.getUint16(20, true)) {
    throw new Fault("not a ZIP file, or bytes follow its end");
  }
  let [size, offset, start] = [numbers.getUint32(12, true), numbers.getUint32(16, true), file.size - 22];
  if (tail.length >= 42 && view(tail).getUint32(tail.length - 42, true) === 0x07064b50) {
    if (tail.length < 98 || view(tail).getUint32(0, true) !== 0x06064b50) {
      throw new Fault("the ZIP64 end record is not where it must be");
    }
    const told = size === 0xffffffff ? 0 : size;
    [size, offset, start] = [number64(tail, 40), number64(tail, 48), file.size - 98];
    if (Math.max(told, size) > MAX_DIRECTORY_BYTES) throw new Fault("the list of entries is larger than 100 MB");
  }
  if (size > MAX_DIRECTORY_BYTES) throw new Fault("the list of entries is larger than 100 MB");
  return { start: start - size, shift: start - size - offset, bytes: await bytesOf(file, start - size, start) };
}

/** A byte of a name that is not UTF-8, in ZIP's own code page. */
const codePage = (byte) => (byte < 0x80 ? String.fromCharCode(byte) : DATA.codePage[byte - 0x80]);

/** Every entry as the list names it. Nothing has been checked but that it can be read. */
function listed({ bytes, shift }) {
  const entries = [];
  for (let place = 0; place < bytes.length; ) {
    if (place + 46 > bytes.length || view(bytes).getUint32(place, true) !== 0x02014b50) throw new Fault(BROKEN);
    const head = view(bytes.subarray(place, place + 46));
    const lengths = [28, 30, 32].map((field) => head.getUint16(field, true));
    const ends = [place + 46, 0, 0, 0];
    lengths.forEach((length, index) => (ends[index + 1] = ends[index] + length));
    if (ends[3] > bytes.length) throw new Fault(BROKEN);
    const flags = head.getUint16(8, true);
    const name = bytes.subarray(ends[0], ends[1]);
    const entry = {
      flags,
      name,
      whole: flags & 0x800 ? utf8(name, BROKEN) : Array.from(name, codePage).join(""),
      method: head.getUint16(10, true),
      crc: head.getUint32(16, true),
      stored: head.getUint32(20, true),
      size: head.getUint32(24, true),
      mode: head.getUint32(38, true) >>> 16,
      offset: head.getUint32(42, true),
    };
    widen(entry, bytes.subarray(ends[1], ends[2]));
    entry.offset += shift;
    entry.text = entry.whole.split("\0")[0];
    entries.push(entry);
    place = ends[3];
  }
  return entries;
}

/** Sizes and places of 4 GiB and more stand in the extra field (APPNOTE 4.5.3). */
function widen(entry, extra) {
  for (let place = 0; place + 4 <= extra.length; ) {
    const [kind, length] = [view(extra).getUint16(place, true), view(extra).getUint16(place + 2, true)];
    if (place + 4 + length > extra.length) throw new Fault(BROKEN);
    let at = place + 4;
    for (const field of kind === 1 ? ["size", "stored", "offset"] : []) {
      if (entry[field] !== 0xffffffff) continue;
      if (at + 8 > place + 4 + length) throw new Fault(BROKEN);
      entry[field] = number64(extra, at);
      at += 8;
    }
    place += 4 + length;
  }
}

function checkInfo(entry) {
  const name = entry.text;
  entryName(name);
  const ascii = entry.name.every((byte) => byte < 0x80);
  if (entry.whole !== name || !(ascii || entry.flags & 0x800)) {
    throw new Fault("an entry's name can be read in two ways", name);
  }
  if (![0, 0o100000].includes(entry.mode & 0o170000)) {
    throw new Fault("an entry is a link or another special file", name);
  }
  if (entry.method !== 0 || entry.stored !== entry.size) {
    throw new Fault("an entry is compressed: packages are stored as they are", name);
  }
  if (entry.flags & 1) throw new Fault("an entry is encrypted", name);
}

/** Entries may neither overlap nor leave room in front; each learns where the next thing begins. */
function checkLayout(entries, start) {
  let end = 0;
  const ordered = [...entries].sort((left, right) => left.offset - right.offset);
  ordered.forEach((entry, index) => {
    if (entry.offset < end || (end === 0 && entry.offset)) {
      throw new Fault("entries overlap, or bytes stand before the first", entry.text);
    }
    end = entry.offset + 30 + entry.name.length + entry.size;
    entry.limit = ordered[index + 1]?.offset ?? start;
  });
  if (end > start) throw new Fault("an entry reaches into the list of entries");
}

/** A package: `sizes` by entry below the one top folder, `stream(entry)` its bytes in pieces, checked as they come. */
async function openPackage(file) {
  const list = await directory(file);
  const entries = listed(list);
  if (!entries.length) throw new Fault("the archive is empty");
  entries.forEach(checkInfo);
  checkLayout(entries, list.start);
  const top = entries[0].text.split("/")[0];
  const found = new Map();
  for (const entry of entries) {
    const slash = entry.text.indexOf("/");
    if (slash < 0 || entry.text.slice(0, slash) !== top) {
      throw new Fault("an entry is not below the one top folder", entry.text);
    }
    const name = entry.text.slice(slash + 1);
    if (found.has(name)) throw new Fault("two entries have one name", name);
    found.set(name, entry);
  }
  if (found.size > MAX_ENTRIES) throw new Fault("the package has more than 200000 entries");
  const seen = new Set();
  for (const name of found.keys()) {
    if (seen.has(folded(name))) throw new Fault("two entries have one name", name);
    seen.add(folded(name));
  }
  const sizes = new Map(Array.from(found, ([name, entry]) => [name, entry.size]));
  return { name: top, sizes, stream: (name) => pieces(file, found.get(name), name) };
}

async function* pieces(file, entry, name) {
  const broken = new Fault(BROKEN, name);
  if (entry.offset + 30 > file.size) throw broken;
  const head = view(await bytesOf(file, entry.offset, entry.offset + 30));
  const [named, extra] = [head.getUint16(26, true), head.getUint16(28, true)];
  const start = entry.offset + 30 + named + extra;
  if (head.getUint32(0, true) !== 0x04034b50 || start + entry.size > entry.limit) throw broken;
  const local = await bytesOf(file, entry.offset + 30, entry.offset + 30 + named);
  if (!same(local, entry.name)) throw broken;
  let crc = 0xffffffff;
  for (let place = 0; place < entry.size; place += PIECE_BYTES) {
    const piece = await bytesOf(file, start + place, start + Math.min(place + PIECE_BYTES, entry.size));
    crc = crc32(piece, crc);
    yield piece;
  }
  if ((crc ^ 0xffffffff) >>> 0 !== entry.crc) throw broken;
}

/** A whole small entry. */
async function readEntry(opened, name, maxBytes) {
  if (opened.sizes.get(name) > maxBytes) throw new Fault("an entry is larger than its kind may be", name);
  const parts = [];
  for await (const piece of opened.stream(name)) parts.push(piece);
  return joined(...parts);
}

/** SHA-256 and length of an entry. */
async function digestEntry(opened, name, heard) {
  const hasher = new Sha256();
  for await (const piece of opened.stream(name)) {
    hasher.update(piece);
    heard(piece.length);
  }
  const size = hasher.length;
  return { sha256: hex(hasher.digest()), size };
}

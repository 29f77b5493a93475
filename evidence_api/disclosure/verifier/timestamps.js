// RFC 3161 time-stamp tokens. Mirrors custody/proof/timestamp.py; the browser's WebCrypto verifies the signatures.

const TOKEN_BYTES = 64 * 1024;
const MAX_CHAIN = 6;
const EARLY_S = 300n;
const LATE_S = 7n * 86_400n;
const CMS = {
  signedData: "1.2.840.113549.1.7.2",
  tstInfo: "1.2.840.113549.1.9.16.1.4",
  contentType: "1.2.840.113549.1.9.3",
  messageDigest: "1.2.840.113549.1.9.4",
  certificateV1: "1.2.840.113549.1.9.16.2.12",
  certificateV2: "1.2.840.113549.1.9.16.2.47",
};
const EXTENSION = { keyUsage: "2.5.29.15", constraints: "2.5.29.19", purposes: "2.5.29.37" };
const TIME_STAMPING = "1.3.6.1.5.5.7.3.8";
const DIGESTS = {
  "2.16.840.1.101.3.4.2.1": "sha256",
  "2.16.840.1.101.3.4.2.2": "sha384",
  "2.16.840.1.101.3.4.2.3": "sha512",
};
/** Ways to sign: the kind of key, and the digest where the name says it. */
const SIGNED_BY = {
  "1.2.840.113549.1.1.1": ["RSA", null],
  "1.2.840.113549.1.1.11": ["RSA", "sha256"],
  "1.2.840.113549.1.1.12": ["RSA", "sha384"],
  "1.2.840.113549.1.1.13": ["RSA", "sha512"],
  "1.2.840.10045.4.3.2": ["EC", "sha256"],
  "1.2.840.10045.4.3.3": ["EC", "sha384"],
  "1.2.840.10045.4.3.4": ["EC", "sha512"],
  "1.3.101.112": ["Ed25519", null],
};

/** Right in itself, but by an authority that leads to none of the reader's roots. */
class AuthorityUnknown extends Fault {}

/** The reader's roots from a PEM file. */
function parseRoots(bytes) {
  try {
    const blocks = latin(bytes).match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g);
    return blocks.map((block) => {
      const text = block.split("-----")[2].replace(/[ \t\r\n]/g, "");
      return parseCertificate(base64Bytes(text));
    });
  } catch {
    throw new Fault("not a PEM file of certificates");
  }
}

async function digestOf(name, bytes) {
  return new Uint8Array(await crypto.subtle.digest(name.replace("sha", "SHA-"), bytes));
}

function expectOid(reader, oid) {
  if (oidText(reader.take(TAG.OID)) !== oid) throw new Fault("not a time-stamp token");
}

function expectVersion(reader, version) {
  if (!isInteger(reader.take(TAG.INTEGER), version)) throw new Fault("the time stamp has another version");
}

function digestName(element) {
  const reader = new Der(element.content);
  const name = DIGESTS[oidText(reader.take(TAG.OID))];
  const parameters = reader.optional(TAG.NULL);
  reader.end();
  if (!name || parameters?.content.length) throw new Fault("the time stamp uses a digest that is not known");
  return name;
}

/** What a token proves about these bytes to one who trusts `roots`: `time` in seconds since 1970, by which `authority`. */
async function verifyToken(token, message, roots) {
  if (token.length > TOKEN_BYTES) throw new Fault("a time stamp is larger than 64 KiB");
  const signed = signedData(token);
  const info = stampInfo(signed.content);
  if (!same(await digestOf(info.algorithm, message), info.digest)) throw new Fault("the time stamp is over other data");
  const certificate = await verifySigner(signed);
  forTimeStamping(certificate);
  await verifyChain(certificate, signed.certificates, roots, info.time);
  return { time: info.time, authority: certificate.name };
}

/** ContentInfo and SignedData (RFC 5652 §3, §5.1) around a TSTInfo. */
function signedData(token) {
  const outer = new Der(wholeDer(token, TAG.SEQUENCE).content);
  expectOid(outer, CMS.signedData);
  const explicit = outer.inside(context(0));
  outer.end();
  const reader = explicit.inside(TAG.SEQUENCE);
  explicit.end();
  expectVersion(reader, 3);
  reader.take(TAG.SET);
  const encapsulated = reader.inside(TAG.SEQUENCE);
  expectOid(encapsulated, CMS.tstInfo);
  const content = wholeDer(encapsulated.take(context(0)).content, TAG.OCTETS).content;
  const certificates = reader.optional(context(0));
  reader.optional(context(1));
  const signers = reader.inside(TAG.SET);
  const signer = signers.inside(TAG.SEQUENCE);
  for (const rest of [encapsulated, reader, signers]) rest.end();
  const found = certificates ? new Der(certificates.content).all().map((one) => readableCertificate(one.raw)) : [];
  return { content, certificates: found.filter(Boolean), signer };
}

/** TSTInfo (RFC 3161 §2.4.2). */
function stampInfo(content) {
  const reader = new Der(wholeDer(content, TAG.SEQUENCE).content);
  expectVersion(reader, 1);
  oidText(reader.take(TAG.OID));
  const imprint = reader.inside(TAG.SEQUENCE);
  const algorithm = digestName(imprint.take(TAG.SEQUENCE));
  const digest = imprint.take(TAG.OCTETS).content;
  imprint.end();
  integerBytes(reader.take(TAG.INTEGER));
  const match = /^([0-9]{14})(?:\.[0-9]*[1-9])?Z$/.exec(latin(reader.take(TAG.TIME).content));
  const time = match && secondsOf(match[1]);
  if (time === null) throw new Fault("a time is not in the form of time stamps");
  reader.optional(TAG.SEQUENCE);
  reader.optional(TAG.BOOLEAN);
  const nonce = reader.optional(TAG.INTEGER);
  reader.optional(context(0));
  const extensions = reader.optional(context(1));
  reader.end();
  for (const one of extensions ? new Der(extensions.content).all() : []) {
    const parts = new Der(one.content);
    parts.take(TAG.OID);
    if (parts.optional(TAG.BOOLEAN)) throw new Fault("the time stamp has a critical part that is not known");
  }
  if (nonce) integerBytes(nonce);
  return { algorithm, digest, time };
}

/** SignerInfo (RFC 5652 §5.3, §5.4): the certificate whose key signed the attributes that name the content. */
async function verifySigner({ content, certificates, signer: reader }) {
  expectVersion(reader, 1);
  const certificate = namedCertificate(reader, certificates);
  const name = digestName(reader.take(TAG.SEQUENCE));
  const attributes = reader.take(context(0));
  const oid = algorithmOid(reader.take(TAG.SEQUENCE));
  const signature = reader.take(TAG.OCTETS).content;
  reader.optional(context(1));
  reader.end();
  const values = attributesIn(attributes);
  const type = values.get(CMS.contentType);
  if (type?.tag !== TAG.OID || oidText(type) !== CMS.tstInfo) {
    throw new Fault("the time stamp's signature is not over a time stamp");
  }
  const digest = values.get(CMS.messageDigest);
  if (digest?.tag !== TAG.OCTETS || !same(digest.content, await digestOf(name, content))) {
    throw new Fault("the time stamp's signature is over another time stamp");
  }
  await namesCertificate(values, certificate);
  // RFC 5652 §5.4: signed is the attributes' own SET, not the tag under which they travel.
  const message = joined(Uint8Array.of(TAG.SET), attributes.raw.subarray(1));
  const [kind, fixed] = SIGNED_BY[oid] ?? [];
  if (!kind || certificate.key.kind !== kind || (fixed && fixed !== name)) {
    throw new Fault("the time stamp is signed in a way that is not known");
  }
  if (!(await keySigned(certificate.key, name, signature, message))) {
    throw new Fault("the time stamp's signature does not fit");
  }
  return certificate;
}

function namedCertificate(reader, certificates) {
  const identifier = reader.inside(TAG.SEQUENCE);
  const issuer = identifier.take(TAG.SEQUENCE).raw;
  const serial = integerBytes(identifier.take(TAG.INTEGER));
  identifier.end();
  const found = certificates.find((one) => same(one.serial, serial) && same(one.issuer, issuer));
  if (!found) throw new Fault("the time stamp does not carry its signer's certificate");
  return found;
}

function attributesIn(attributes) {
  const values = new Map();
  for (const attribute of new Der(attributes.content).all()) {
    const parts = new Der(attribute.content);
    const name = oidText(parts.take(TAG.OID));
    const found = parts.inside(TAG.SET).all();
    parts.end();
    if (found.length !== 1 || values.has(name)) throw new Fault("an attribute stands twice or has not one value");
    values.set(name, found[0]);
  }
  return values;
}

/** RFC 3161 §2.4.2 and RFC 5816: the signature names its certificate, so that no other can take its place. */
async function namesCertificate(values, certificate) {
  const found = values.get(CMS.certificateV2) ?? values.get(CMS.certificateV1);
  if (!found) throw new Fault("the time stamp's signature names no certificate");
  const first = new Der(found.content).inside(TAG.SEQUENCE).inside(TAG.SEQUENCE);
  let name = "sha1";
  if (values.has(CMS.certificateV2)) {
    const given = first.optional(TAG.SEQUENCE);
    name = given ? digestName(given) : "sha256";
  }
  const digest = await digestOf(name, certificate.raw);
  if (!same(first.take(TAG.OCTETS).content, digest)) {
    throw new Fault("the time stamp's signature names another certificate");
  }
}

/** RFC 3161 §2.3: the key is for time stamps and for nothing else, and says so critically. */
function forTimeStamping({ extensions }) {
  const usage = extensions.get(EXTENSION.purposes);
  const purposes = usage?.critical ? new Der(wholeDer(usage.value, TAG.SEQUENCE).content).all().map(oidText) : [];
  if (purposes.length !== 1 || purposes[0] !== TIME_STAMPING) {
    throw new Fault("the signer's certificate is not for time stamps");
  }
}

/** From the signer to a root, every certificate valid at that time (RFC 5280 §6.1, names and policies apart). */
async function verifyChain(certificate, others, roots, time) {
  let current = certificate;
  for (let below = 0; current && below < MAX_CHAIN; below += 1) {
    if (time < current.from || time > current.until) {
      throw new Fault("a certificate was not valid at the time of the time stamp");
    }
    if (roots.some((root) => same(root.raw, current.raw))) return;
    let issuer = null;
    for (const one of [...roots, ...others]) issuer ??= (await issued(one, current, below)) ? one : null;
    current = issuer;
  }
  throw new AuthorityUnknown("the time stamp's authority leads to none of the trusted roots");
}

/** Whether `issuer` may issue and has issued this certificate, with `below` issuers under itself. */
async function issued(issuer, certificate, below) {
  if (!same(issuer.subject, certificate.issuer)) return false;
  const [constraints, usage] = [EXTENSION.constraints, EXTENSION.keyUsage].map((name) => issuer.extensions.get(name));
  try {
    if (!constraints || (usage && !((wholeDer(usage.value, TAG.BITS).content[1] ?? 0) & 0x04))) return false;
    const reader = new Der(wholeDer(constraints.value, TAG.SEQUENCE).content);
    if (!reader.optional(TAG.BOOLEAN)) return false;
    const length = reader.optional(TAG.INTEGER);
    if (length && integerBytes(length).length === 1 && length.content[0] < below) return false;
  } catch (fault) {
    if (!(fault instanceof Fault)) throw fault;
    return false;
  }
  const [kind, digest] = SIGNED_BY[certificate.algorithm] ?? [];
  if (!kind || issuer.key.kind !== kind || (!digest && kind !== "Ed25519")) return false;
  return keySigned(issuer.key, digest ?? "", certificate.signature, certificate.tbs);
}

const moment = (time) => `${new Date(Number(time) * 1000).toISOString().slice(0, 19).replace("T", " ")} UTC`;

/** Step 11: at least one time stamp over this checkpoint's text by an authority of the reader; none that is false. */
async function checkTimes(opened, note, roots, events, witnessed, now) {
  const last = events.reduce((latest, one) => Math.max(latest, one.time_ms), 0);
  const lastEvent = BigInt(Math.floor(last / 1000));
  const seen = witnessed.reduce((first, time) => (time < first ? time : first), witnessed[0] ?? lastEvent);
  const latest = (seen > lastEvent ? seen : lastEvent) + LATE_S;
  const names = [];
  for (const entry of [...opened.sizes.keys()].filter((name) => TIMESTAMP.test(name)).sort(byCodePoint)) {
    const token = await readAt(opened, entry, STEP.TIME_STAMPS, TOKEN_BYTES);
    const stamp = await at(STEP.TIME_STAMPS, "timestamps.invalid", { entry }, async () => {
      try {
        return await verifyToken(token, UTF8.encode(note.text), roots);
      } catch (fault) {
        if (fault instanceof AuthorityUnknown) return null;
        throw fault;
      }
    });
    if (!stamp) continue;
    const [time, values] = [BigInt(stamp.time), { entry, time: moment(stamp.time) }];
    if (time < lastEvent - EARLY_S) throw new Refusal(STEP.TIME_STAMPS, "timestamps.early", values);
    if (time > latest || time > now) throw new Refusal(STEP.TIME_STAMPS, "timestamps.late", values);
    names.push(`${stamp.authority} (${moment(stamp.time)})`);
  }
  if (!names.length) throw new Refusal(STEP.TIME_STAMPS, "timestamps.missing");
  return names.join(", ");
}

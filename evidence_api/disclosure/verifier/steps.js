// The verification of a package, in numbered steps. Mirrors custody/proof/{verify,chains,vouching}.py.

const STEP = {
  CONTAINER: 1,
  FILES: 2,
  MANIFEST: 3,
  EVENTS: 4,
  CHAINS: 5,
  BINDING: 6,
  VOUCHING: 7,
  INCLUSION: 8,
  CHECKPOINT: 9,
  WITNESSES: 10,
  TIME_STAMPS: 11,
};
const BAG = {
  bagit: "bagit.txt",
  info: "bag-info.txt",
  payload: "manifest-sha256.txt",
  tags: "tagmanifest-sha256.txt",
  disclosure: "custody/disclosure.json",
  events: "custody/events.jsonl",
  proofs: "custody/proofs.txt",
  checkpoint: "custody/checkpoint",
};
const DECLARATION = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n";
const EXTRA = /^(?:index\.html|verify\.html|README\.txt|reader\/[^\n]+)$/;
const TIMESTAMP = /^custody\/timestamps\/[1-9]\.tst$/;
const SMALL_BYTES = 64_000_000;
const EVENTS_BYTES = 512_000_000;

const readAt = (opened, entry, step, maxBytes = SMALL_BYTES) =>
  at(step, "form", { entry }, () => readEntry(opened, entry, maxBytes));

/**
 * What an opened package proves under this policy; raises Refusal at the first step that does not hold. A time stamp by
 * an authority under one of `roots` is asked for if there are any.
 * `report(step, code, values)` hears each step as it passes, `heard(bytes)` of every piece that was read.
 */
async function verifyPackage(file, policy, roots, now, report, heard) {
  const opened = await at(STEP.CONTAINER, "container.invalid", {}, () => openPackage(file));
  report(STEP.CONTAINER, "passed.container", { entries: opened.sizes.size });
  const digests = await checkFiles(opened, heard);
  const total = Array.from(digests.values()).reduce((sum, found) => sum + found.size, 0);
  report(STEP.FILES, "passed.files", { files: digests.size, size_bytes: total });
  const bytes = await readAt(opened, BAG.disclosure, STEP.MANIFEST);
  const digest = `sha256:${hex(sha256(bytes))}`;
  const manifest = await at(STEP.MANIFEST, "form", { entry: BAG.disclosure }, () => disclosure(bytes));
  checkManifest(manifest, digests);
  report(STEP.MANIFEST, "passed.manifest", { files: manifest.files.length, withheld: manifest.withheld.length });
  const events = await readEvents(opened);
  report(STEP.EVENTS, "passed.events", { events: events.length });
  const chains = completeChains(events, manifest);
  report(STEP.CHAINS, "passed.chains", { chains: chains.size });
  checkBinding(chains, manifest, digest);
  report(STEP.BINDING, "passed.binding", { digest });
  for (const one of manifest.files) vouched(one, chains.get(`exhibit:${one.exhibit}`));
  report(STEP.VOUCHING, "passed.vouching", { files: manifest.files.length });
  const [note, head] = await readCheckpoint(opened);
  const earlier = await earlierLogs(opened, events, head);
  const rest = events.slice(earlier.reduce((sum, one) => sum + one.events, 0));
  await checkInclusion(await readAt(opened, BAG.proofs, STEP.INCLUSION, EVENTS_BYTES), BAG.proofs, rest, head);
  const logged = earlier.reduce((sum, one) => sum + one.handover.head.size, head.size);
  report(STEP.INCLUSION, "passed.inclusion", { events: events.length, size: logged });
  await at(STEP.CHECKPOINT, "checkpoint.signature", {}, async () =>
    checkKeys(earlier, await verifyLog(policy, note)),
  );
  const closed = earlier.map((one) => one.handover.head.origin).join(", ");
  report(STEP.CHECKPOINT, closed ? "passed.succession" : "passed.checkpoint", {
    origin: head.origin,
    size: head.size,
    closed,
  });
  const unchecked = new Set();
  for (const one of earlier) await checkWitnesses(policy, one.handover.note, now, unchecked, () => {});
  const witnessed = await checkWitnesses(policy, note, now, unchecked, report);
  if (roots.length) {
    const names = await checkTimes(opened, note, roots, events, witnessed, now);
    report(STEP.TIME_STAMPS, "passed.time_stamps", { names });
  } else report(STEP.TIME_STAMPS, "passed.not_asked", {});
  const unsigned = [...opened.sizes.keys()]
    .filter((entry) => !/^(?:data|custody)\//.test(entry) || (!roots.length && TIMESTAMP.test(entry)))
    .sort(byCodePoint);
  const exhibits = new Set(manifest.files.map((one) => one.exhibit)).size;
  return { files: manifest.files.length, exhibits, unsigned, unchecked: [...unchecked].join(", ") };
}

/** Step 2: exactly the listed files, each with its digest. The data files' digests. */
async function checkFiles(opened, heard) {
  const refuse = (code, entry) => {
    throw new Refusal(STEP.FILES, code, { entry });
  };
  for (const entry of [...Object.values(BAG), ...closedFiles(opened)]) if (!opened.sizes.has(entry)) refuse("files.missing", entry);
  const declared = await readAt(opened, BAG.bagit, STEP.FILES);
  if (!same(declared, UTF8.encode(DECLARATION))) refuse("files.bag", BAG.bagit);
  const tags = await listedIn(opened, BAG.tags);
  const payload = await listedIn(opened, BAG.payload);
  const isData = (entry) => entry.startsWith("data/");
  if ([...tags.keys()].some((entry) => isData(entry) || entry === BAG.tags)) refuse("files.bag", BAG.tags);
  if (![...payload.keys()].every(isData)) refuse("files.bag", BAG.payload);
  for (const entry of opened.sizes.keys()) {
    if (entry !== BAG.tags && !(isData(entry) ? payload : tags).has(entry)) refuse("files.extra", entry);
    const extra = [EXTRA, TIMESTAMP, CLOSED].some((pattern) => pattern.test(entry));
    if (!isData(entry) && !Object.values(BAG).includes(entry) && !extra) {
      refuse("files.extra", entry);
    }
  }
  await matchDigests(opened, tags, heard);
  const digests = await matchDigests(opened, payload, heard);
  const info = await at(STEP.FILES, "form", { entry: BAG.info }, async () =>
    bagInfo(await readEntry(opened, BAG.info, SMALL_BYTES)),
  );
  const octets = Array.from(digests.values()).reduce((sum, found) => sum + found.size, 0);
  if (info.get("Payload-Oxum") !== `${octets}.${digests.size}`) refuse("files.bag", BAG.info);
  return digests;
}

const listedIn = (opened, entry) =>
  at(STEP.FILES, "form", { entry }, async () => digestLines(await readEntry(opened, entry, SMALL_BYTES)));

async function matchDigests(opened, listed, heard) {
  const digests = new Map();
  for (const [entry, expected] of listed) {
    if (!opened.sizes.has(entry)) throw new Refusal(STEP.FILES, "files.missing", { entry });
    const found = await at(STEP.FILES, "form", { entry }, () => digestEntry(opened, entry, heard));
    digests.set(entry, found);
    if (found.sha256 !== expected) {
      throw new Refusal(STEP.FILES, "files.digest", { entry, expected, found: found.sha256 });
    }
  }
  return digests;
}

/** Step 3: the manifest names exactly the files that are here. */
function checkManifest(manifest, digests) {
  const named = new Map(manifest.files.map((file) => [file.path, file]));
  for (const path of [...named.keys(), ...digests.keys()]) {
    if (!named.has(path) || !digests.has(path)) throw new Refusal(STEP.MANIFEST, "manifest.files", { entry: path });
  }
  for (const [path, file] of named) {
    const found = digests.get(path);
    if (file.sha256 !== `sha256:${found.sha256}` || file.size_bytes !== found.size) {
      const values = { entry: path, expected: file.sha256, found: found.sha256 };
      throw new Refusal(STEP.MANIFEST, "manifest.digest", values);
    }
  }
}

/** Step 4. */
async function readEvents(opened) {
  const data = await readAt(opened, BAG.events, STEP.EVENTS, EVENTS_BYTES);
  const leaves = await at(STEP.EVENTS, "form", { entry: BAG.events }, () => eventLines(data));
  const events = [];
  for (const [index, leaf] of leaves.entries()) {
    events.push(await at(STEP.EVENTS, "events.form", { line: index + 1 }, () => event(leaf)));
  }
  return events;
}

/** Step 5: the events by item, each chain whole from its first event on. */
function completeChains(events, manifest) {
  const wanted = [`disclosure:${manifest.disclosure}`, ...manifest.files.map((file) => `exhibit:${file.exhibit}`)];
  const chains = new Map(wanted.map((item) => [item, []]));
  const seen = new Set();
  for (const one of events) {
    const { item, item_seq: sequence } = one;
    const refuse = (code, values) => {
      throw new Refusal(STEP.CHAINS, code, { item, ...values });
    };
    const chain = chains.get(item) ?? refuse("chain.foreign", {});
    if (sequence !== chain.length) refuse("chain.gap", { expected: chain.length, found: sequence });
    const prev = chain.length ? `sha256:${hex(chain.at(-1).hash)}` : null;
    if (one.prev !== prev) refuse("chain.prev", { sequence });
    if (seen.has(one.id)) refuse("chain.twice", { sequence });
    const kind = item.split(":")[0];
    const itself = !has(one.data, kind) || one.data[kind] === item.slice(kind.length + 1);
    if (![null, manifest.case].includes(one.case) || !itself) refuse("chain.moved", { sequence });
    seen.add(one.id);
    chain.push(one);
  }
  for (const [item, chain] of chains) if (!chain.length) throw new Refusal(STEP.CHAINS, "chain.missing", { item });
  return chains;
}

/** Step 6: the last event of each chain is this disclosure. */
function checkBinding(chains, manifest, digest) {
  for (const [item, chain] of chains) {
    const refuse = (code, values = {}) => {
      throw new Refusal(STEP.BINDING, code, { item, ...values });
    };
    const release = item === `disclosure:${manifest.disclosure}`;
    const [last, type] = [chain.at(-1), release ? "disclosure.released" : "exhibit.disclosed"];
    if (last.type !== type) refuse("bind.last", { expected: type, found: last.type });
    const { manifest_sha256: named, disclosure: id, round } = last.data;
    if (named !== digest) refuse("bind.digest", { expected: String(named), found: digest });
    if (id !== manifest.disclosure || round !== manifest.round || last.case !== manifest.case) refuse("bind.other");
    if (release && last.actor === null) refuse("bind.nobody");
  }
}

/** What the chain of one exhibit has said so far, event by event. */
const LEARN = {
  "exhibit.registered": (so, one) => (so.number = one.data.number),
  "exhibit.sealed": (so, one) => (so.sealed = one.data.sha256),
  // a newer draft or correction is not what was confirmed
  "transcript.drafted": (so, one) => so.confirmed.delete(one.data.transcript),
  "transcript.corrected": (so, one) => so.confirmed.delete(one.data.transcript),
  "transcript.confirmed": (so, one) => one.actor !== null && so.confirmed.add(one.data.transcript),
  "plan.submitted": (so, one) => {
    so.submitted.set(one.data.plan, [one.data.plan_sha256, one.actor]);
    so.approved.delete(one.data.plan);
  },
  "plan.returned": (so, one) => {
    so.submitted.delete(one.data.plan);
    so.approved.delete(one.data.plan);
  },
  // counts only when this very plan lies submitted, by somebody, and somebody else approves it
  "plan.approved": (so, one) => {
    const { plan, plan_sha256: digest, submitted_by: submitter } = one.data;
    const [lies, by] = so.submitted.get(plan) ?? [];
    const second = one.actor !== null && submitter !== null && one.actor !== submitter;
    if (second && lies === digest && by === submitter) so.approved.set(plan, digest);
  },
  "rendition.burned": (so, one) => {
    const approved = so.approved.has(one.data.plan) && so.approved.get(one.data.plan) === one.data.plan_sha256;
    so.burned.set(one.data.rendition, { ...one.data, approved, confirmed: so.confirmed.size > 0 });
    so.checked.delete(one.data.rendition);
  },
  "rendition.leak_checked": (so, one) => {
    if (so.burned.has(one.data.rendition)) so.checked.set(one.data.rendition, one.data);
  },
};

/** Step 7: the chain of the file's exhibit vouches for the file. */
function vouched(file, chain) {
  const refuse = (code) => {
    throw new Refusal(STEP.VOUCHING, code, { entry: file.path });
  };
  const [confirmed, submitted, approved, burned, checked] = [new Set(), new Map(), new Map(), new Map(), new Map()];
  const history = { number: null, sealed: null, confirmed, submitted, approved, burned, checked };
  for (const one of chain) if (has(LEARN, one.type)) LEARN[one.type](history, one);
  if (history.number !== file.number) refuse("vouch.number");
  if (file.kind === "original") {
    if (history.sealed !== file.sha256) refuse("vouch.sealed");
    return;
  }
  const burn = burned.get(file.rendition);
  if (!burn || ["sha256", "kind", "source_sha256"].some((name) => burn[name] !== file[name])) refuse("vouch.burned");
  if (!burn.approved) refuse("vouch.approved");
  const leak = checked.get(file.rendition);
  if (!leak || leak.sha256 !== file.sha256 || leak.result !== "passed") refuse("vouch.leak");
  if (DATA.spoken.includes(file.kind) && !burn.confirmed) refuse("vouch.confirmed");
}

/** The checkpoint in its form only: steps 9 and 10 say whether it may be believed. */
async function readCheckpoint(opened) {
  const data = await readAt(opened, BAG.checkpoint, STEP.CHECKPOINT, NOTE_BYTES);
  return at(STEP.CHECKPOINT, "form", { entry: BAG.checkpoint }, () => {
    const note = parseNote(data);
    const head = parseCheckpoint(note.text);
    if (head.extensions.length) throw new Refusal(STEP.CHECKPOINT, "checkpoint.extension");
    return [note, head];
  });
}

/** Step 8: every event stands in the log at its index, in the order of the log. */
async function checkInclusion(data, entry, events, head) {
  const proofs = await at(STEP.INCLUSION, "form", { entry }, () => lines(data));
  if (proofs.length !== events.length) {
    throw new Refusal(STEP.INCLUSION, "proofs.count", { expected: events.length, found: proofs.length });
  }
  let last = -1n;
  for (const [place, line] of proofs.entries()) {
    await at(STEP.INCLUSION, "proofs.invalid", { line: place + 1 }, () => {
      const [index, proof] = proofLine(line);
      if (index <= last) throw new Fault("the index is not above the one before");
      verifyInclusion(events[place].hash, index, head.size, proof, head.root);
      last = index;
    });
  }
}

/**
 * Step 10: the times that the witnesses claim. The quorum is reached by what was checked here, or not at all: where only
 * signatures that this browser cannot check could complete it, nothing is known (Unchecked).
 */
async function checkWitnesses(policy, note, now, unchecked, report) {
  const cosigned = await at(STEP.WITNESSES, "witnesses.signature", {}, () => cosigners(policy, note, now));
  const found = new Set(cosigned.found.keys());
  const labels = (names) => [...names].map((name) => labelOf(policy.witnesses.get(name))).sort(byCodePoint);
  for (const label of labels(cosigned.unchecked)) unchecked.add(label);
  if (!reached(policy, found)) {
    if (reached(policy, new Set([...found, ...cosigned.unchecked]))) throw new Unchecked();
    const values = { names: [...found].join(", "), quorum: policy.quorum };
    throw new Refusal(STEP.WITNESSES, "witnesses.quorum", values);
  }
  const code = policy.quorum === "none" ? "passed.no_witnesses" : "passed.witnesses";
  report(STEP.WITNESSES, code, { names: labels(found).join(", "), unchecked: [...unchecked].join(", ") });
  return [...cosigned.found.values()];
}

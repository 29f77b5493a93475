// The logs before the package's own. Mirrors custody/proof/{earlier,handover}.py.

const CLOSED = /^custody\/closed\/([1-9])\/(?:checkpoint|proofs\.txt|handover\.jsonl|handover\.txt)$/;
const closedEntries = (number) =>
  ["checkpoint", "proofs.txt", "handover.jsonl", "handover.txt"].map((name) => `custody/closed/${number}/${name}`);

const closedCount = (opened) =>
  [...opened.sizes.keys()].reduce((most, entry) => Math.max(most, Number(CLOSED.exec(entry)?.[1] ?? 0)), 0);

/** Step 2: the files that must be there when any file of a closed log is. */
const closedFiles = (opened) =>
  Array.from({ length: closedCount(opened) }, (_, place) => closedEntries(place + 1)).flat();

/** A closed log's final head and the two events around the boundary, found to speak of each other. */
function handover(signed, leaves, proofs) {
  const parsed = lines(proofs).map(proofLine);
  const both = eventLines(leaves);
  if (both.length !== 2 || parsed.length !== 2) throw new Fault("a handover has not two events and two proofs");
  const note = parseNote(signed);
  const head = parseCheckpoint(note.text);
  const [last, first] = both.map(event);
  const told = [first.data.checkpoint, first.data.closed, last.data.next, last.data.next_key];
  const kinds = [last.type, first.type, last.item, first.item].join(" ");
  if (head.size < 1n || head.extensions.length || kinds !== "log.closed log.opened system system" || !told.every(isText)) {
    throw new Fault("a handover is not a final head, log.closed and log.opened");
  }
  const follows = first.item_seq === last.item_seq + 1 && first.prev === `sha256:${hex(last.hash)}`;
  if (!follows || parseNote(UTF8.encode(told[0])).text !== note.text) {
    throw new Fault("log.opened does not follow log.closed and its final head");
  }
  const [key, next] = [parseVkey(told[1]), parseVkey(told[3])];
  const named = key.name === head.origin && next.name === told[2];
  if (!named || key.type !== LOG_KEY || next.type !== LOG_KEY) {
    throw new Fault("a handover names a log otherwise than its key");
  }
  const [[index, closedProof], [begin, openedProof]] = parsed;
  if (index !== head.size - 1n || begin !== 0n) {
    throw new Fault("log.closed is not the last leaf of its log, or log.opened not the first of the next");
  }
  return { note, head, last, first, closedProof, openedProof, key, next };
}

/** Step 8 for the events of closed logs, oldest first: each under its own final head, each log begun by the next. */
async function earlierLogs(opened, events, head) {
  const found = [];
  let begin = 0;
  for (let number = 1; number <= closedCount(opened); number += 1) {
    const [final, proofs, boundary, boundaryProofs] = closedEntries(number);
    const data = await readAt(opened, proofs, STEP.INCLUSION);
    const count = (await at(STEP.INCLUSION, "form", { entry: proofs }, () => lines(data))).length;
    const parts = [];
    for (const entry of [final, boundary, boundaryProofs]) parts.push(await readAt(opened, entry, STEP.INCLUSION));
    const handed = await at(STEP.INCLUSION, "proofs.handover", { number }, () => handover(...parts));
    await checkInclusion(data, proofs, events.slice(begin, begin + count), handed.head);
    begin += count;
    found.push({ handover: handed, events: count });
  }
  for (const [place, { handover: one }] of found.entries()) {
    const following = found[place + 1]?.handover.head ?? head;
    await at(STEP.INCLUSION, "proofs.handover", { number: place + 1 }, () => {
      verifyInclusion(one.last.hash, one.head.size - 1n, one.head.size, one.closedProof, one.head.root);
      if (following.origin !== one.next.name) throw new Fault("the closed log names another log as the next");
      verifyInclusion(one.first.hash, 0n, following.size, one.openedProof, following.root);
    });
  }
  return found;
}

/** Step 9 for closed logs: signed by the key their successor gives, which is named by them; the last is the policy's. */
async function checkKeys(earlier, log) {
  for (const [place, { handover: one }] of earlier.entries()) {
    const following = earlier[place + 1]?.handover.key ?? log;
    const found = linesOf(one.note, one.key);
    for (const line of found) await verifyBytes(one.key, UTF8.encode(one.note.text), line.payload);
    if (!found.length) throw new Fault("no known key has signed the note");
    if (one.next.name !== following.name || !same(one.next.key, following.key)) {
      throw new Fault("the closed log names another key for the next", following.name);
    }
  }
}

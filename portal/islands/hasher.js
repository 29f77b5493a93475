// A worker: SHA-256 of a file, streamed, so that a 100 GB file never lies in memory. Tells its progress in bytes.
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";

const PIECE = 4 * 1024 * 1024;
const piece = (file, offset) => file.slice(offset, offset + PIECE).arrayBuffer();

onmessage = async ({ data: { id, file } }) => {
  try {
    const hash = sha256.create();
    // The next piece is read while this one is hashed: two pieces in memory, whatever the size.
    let next = piece(file, 0);
    for (let offset = 0; offset < file.size; offset += PIECE) {
      const bytes = new Uint8Array(await next);
      next = offset + PIECE < file.size ? piece(file, offset + PIECE) : null;
      next?.catch(() => {});
      hash.update(bytes);
      postMessage({ id, done: Math.min(offset + PIECE, file.size) });
    }
    postMessage({ id, sha256: `sha256:${bytesToHex(hash.digest())}` });
  } catch {
    postMessage({ id, failed: true });
  }
};

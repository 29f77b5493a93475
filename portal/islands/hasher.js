// A worker: SHA-256 of a file, streamed, so that a 100 GB file never lies in memory. Tells its progress in bytes.
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";

const PIECE = 4 * 1024 * 1024;

onmessage = async ({ data: { id, file } }) => {
  try {
    const hash = sha256.create();
    for (let offset = 0; offset < file.size; offset += PIECE) {
      hash.update(new Uint8Array(await file.slice(offset, offset + PIECE).arrayBuffer()));
      postMessage({ id, done: Math.min(offset + PIECE, file.size) });
    }
    postMessage({ id, sha256: `sha256:${bytesToHex(hash.digest())}` });
  } catch {
    postMessage({ id, failed: true });
  }
};

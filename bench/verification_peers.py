"""The peers of `bench.verification`, run by the Python of their own virtual environment: proofs in, rates out."""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

from pymerkle.core import _inclusion_path_layout
from pymerkle.hasher import MerkleHasher
from pymerkle.proof import InclusionProof
from sigstore._internal.merkle import verify_merkle_inclusion


def main(path: str) -> None:
    """Both over the same proofs: leaf hashed from its bytes, place proved, the structures made beforehand."""
    given = json.loads(Path(path).read_text())
    size, root = given["size"], bytes.fromhex(given["root"])
    hasher = MerkleHasher("sha256")
    plain, entries = [], []
    for item in given["items"]:
        leaf, index = bytes.fromhex(item["leaf"]), item["index"]
        proof = [bytes.fromhex(part) for part in item["proof"]]
        rule, _ = _inclusion_path_layout(index + 1, size)
        plain.append((leaf, InclusionProof("sha256", True, size, index + 1, rule, [hasher.hash_buff(leaf), *proof])))
        inner = SimpleNamespace(log_index=index, tree_size=size, hashes=proof, root_hash=root)
        entries.append(SimpleNamespace(_inner=SimpleNamespace(inclusion_proof=inner, canonicalized_body=leaf)))

    def pymerkle() -> None:
        for leaf, proof in plain:
            proof.verify(hasher.hash_buff(leaf), root, size=size, algorithm="sha256")

    def sigstore() -> None:
        for entry in entries:
            verify_merkle_inclusion(entry)

    print(json.dumps({act.__name__: len(plain) / best(act) for act in (pymerkle, sigstore)}))


def best(act: Callable[[], None]) -> float:
    """Seconds of processor time, the least of several rounds."""
    found = []
    for _ in range(5):
        began = time.process_time()
        act()
        found.append(time.process_time() - began)
    return min(found)


if __name__ == "__main__":
    main(sys.argv[1])

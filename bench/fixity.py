"""Scrubbing beside one core's SHA-256, on the same bytes in the same run.

Ours: light checks (`storage.fixity.check_light`) of the large files that the room's other measurements have sealed, as
a round makes them: read from the store, the digest of each segment compared; no key, no rate. A deep check decrypts
and takes the plaintext's digest as well. Peer: hashlib's SHA-256 over the same ciphertext, which already lies in
memory; and the bare read of the same object from the same store, its bytes thrown away, for that is where the time
goes. Rounds of all are taken in turn and the median counts, so that other load hits both alike.
"""

import hashlib
import statistics
import time
from uuid import UUID

from sqlalchemy import text

from bench.report import Row
from bench.system import System
from evidence_api import container
from evidence_api.services import Services
from storage import fixity, fixity_records
from storage.fixity import Expected

MIB = 1024 * 1024
ROUNDS = 5
TARGET = 0.8


def measure(running: System) -> list[Row]:
    """Check the largest sealed file again and again."""
    services = container.services(running.settings)
    try:
        return _measured(services)
    finally:
        services.database.close()


def _measured(services: Services) -> list[Row]:
    expected = _largest(services)
    facts = expected.facts
    ciphertext = b"".join(services.store.get(facts.bucket, facts.key, facts.version_id, 0, facts.ciphertext_bytes))
    light, deep, peer, bare = [], [], [], []
    for _round in range(ROUNDS):
        began = time.perf_counter()
        hashlib.sha256(ciphertext).digest()
        peer.append(time.perf_counter() - began)
        began = time.perf_counter()
        for _ in services.store.get(facts.bucket, facts.key, facts.version_id, 0, facts.ciphertext_bytes):
            pass
        bare.append(time.perf_counter() - began)
        began = time.perf_counter()
        found, progress = fixity.check_light(services.store, expected)
        light.append(time.perf_counter() - began)
        began = time.perf_counter()
        found_deep = fixity.check_deep(services.store, services.keys, expected)
        deep.append(time.perf_counter() - began)
        if found or found_deep or not progress.whole:
            raise RuntimeError("the store does not hold what was sealed: nothing was measured")
    size = facts.ciphertext_bytes / MIB
    rate, slow, sha, read = (size / statistics.median(times) for times in (light, deep, peer, bare))
    name, note = f"hashlib SHA-256, {size:.0f} MiB in memory", "one process; the store's own work is on the other core"
    return [
        Row("scrubbing, light", rate, "MiB/s", True, TARGET * sha, name, sha, note),
        Row("scrubbing, light, beside the read", rate, "MiB/s", True, None, "bare read, bytes thrown away", read),
        Row("scrubbing, deep", slow, "MiB/s", True, None, name, sha, "decrypted too: SHA-256 twice"),
    ]


def _largest(services: Services) -> Expected:
    with services.database.read() as session:
        query = "SELECT id FROM blobs WHERE octet_length(wrapped_key) > 0 ORDER BY size_bytes DESC LIMIT 1"
        blob_id: UUID = session.execute(text(query)).scalar_one()
        return fixity_records.expected(session, blob_id)

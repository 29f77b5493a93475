"""Reading a blob: decrypting only the chunks asked for, each byte authenticated before it is given out."""

import hashlib
import os
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path
from typing import Final

from custody.kernel.errors import Corrupt, Gone, Invalid
from storage.blob import FORMAT, BlobFacts
from storage.keys import KeyWrapper
from storage.ports import ObjectStore
from storage.segments import Layout, read_range

SPOOL_MODE: Final = 0o600


class BlobReader:
    """One blob, open for reading. Safe to use from several threads; holds no connection between calls.

    Not guaranteed by a partial read: that bytes outside the range are still there. `verify` in `storage.seal` and
    `spool` read all and compare the digest.
    """

    def __init__(self, store: ObjectStore, keys: KeyWrapper, facts: BlobFacts) -> None:
        if facts.destroyed_at is not None:
            raise Gone("blob.destroyed", on=f"{facts.destroyed_at.astimezone(UTC):%Y-%m-%d}")
        if facts.format != FORMAT:
            raise Invalid("store.unknown_format", format=facts.format)
        self._store = store
        self._facts = facts
        self._layout = Layout(facts.blob_id, facts.size_bytes, facts.segment_bytes)
        self._key = keys.unwrap(facts.wrapped_key, facts.key_id, facts.blob_id)

    @property
    def size_bytes(self) -> int:
        """Size of the plaintext."""
        return self._facts.size_bytes

    @property
    def sha256(self) -> str:
        """Digest of the plaintext, `sha256:<hex>`, as sealed."""
        return self._facts.sha256

    def read(self, start: int = 0, end: int | None = None) -> Iterator[memoryview]:
        """Plaintext bytes from `start` to `end` (excluded; None: to the end), in pieces of at most 1 MiB.

        Raises Corrupt `store.corrupt` before a wrong byte is given, NotFound `store.missing`, Unavailable
        `store.unreachable`; Invalid `content.bad_range` outside the blob.
        """
        stop = self.size_bytes if end is None else end
        if not 0 <= start <= stop <= self.size_bytes:
            raise Invalid("content.bad_range", size_bytes=self.size_bytes)
        return read_range(self._key, self._layout, self._fetch, start, stop)

    def spool(self, path: Path) -> None:
        """The whole plaintext into a new local file of mode 0600, its digest compared. Raises Corrupt, else as `read`.

        The file is removed when the digest differs or reading stops. The caller removes it after use.
        """
        digest = hashlib.sha256()
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, SPOOL_MODE)
        with os.fdopen(descriptor, "wb") as file:
            try:
                for piece in self.read():
                    digest.update(piece)
                    file.write(piece)
                if "sha256:" + digest.hexdigest() != self.sha256:
                    raise Corrupt("store.corrupt", what="digest")
            except BaseException:
                path.unlink()
                raise

    def _fetch(self, offset: int, length: int) -> Iterator[bytes]:
        return self._store.get(self._facts.bucket, self._facts.key, self._facts.version_id, offset, length)

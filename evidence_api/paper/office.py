"""The office's key for acts on paper: signs a PDF so that any PDF reader shows whether it was changed since (PAdES).

The signature says that this installation issued the act; it is not an officer's own electronic signature (ЭЦП).
"""

import asyncio
import io
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from asn1crypto import keys as asn1_keys
from asn1crypto import tsp
from asn1crypto import x509 as asn1_x509
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, signers
from pyhanko.sign.timestamps import TimeStamper
from pyhanko_certvalidator.registry import SimpleCertificateStore

from evidence_api.paper import keys

FIELD = "Seal"

log = logging.getLogger(__name__)

Stamp = Callable[[bytes], bytes]
"""Sends an RFC 3161 request (DER) to an authority and returns its response (DER); may raise anything a network can."""


class Office(Protocol):
    """Signs acts."""

    def sign(self, pdf: bytes, reason: str) -> bytes:
        """The PDF with a signature over all of it; `reason` is shown by PDF readers."""
        ...


class FileOffice:
    """An office over `key_file`, opened with `passphrase_file`. RSA or elliptic curve.

    With `stamp` the signature carries a time stamp if the authority answers; without an answer the act is signed all
    the same, with the machine's own time. Raises Denied `key.exposed`, Corrupt `key.unreadable`.
    """

    def __init__(self, key_file: Path, passphrase_file: Path, stamp: Stamp | None = None) -> None:
        key, certificates = keys.load(key_file, passphrase_file)
        store = SimpleCertificateStore()  # type: ignore[no-untyped-call]  # the library's
        store.register_multiple(asn1_x509.Certificate.load(one) for one in certificates[1:])
        self._signer = signers.SimpleSigner(
            asn1_x509.Certificate.load(certificates[0]), asn1_keys.PrivateKeyInfo.load(key), store
        )
        self._stamp = stamp

    def sign(self, pdf: bytes, reason: str) -> bytes:
        """A new revision of the PDF that holds the signature; the bytes before it stay as they were."""
        if self._stamp is not None:
            try:
                return self._sign(pdf, reason, _Stamper(self._stamp))
            except Exception as error:  # whatever a network or an authority can do wrong: sign without it
                log.warning("acts: signed without a time stamp (%s)", type(error).__name__)
        return self._sign(pdf, reason, None)

    def _sign(self, pdf: bytes, reason: str, stamper: TimeStamper | None) -> bytes:
        metadata = signers.PdfSignatureMetadata(
            field_name=FIELD, md_algorithm="sha256", subfilter=fields.SigSeedSubFilter.PADES, reason=reason
        )
        writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
        signed: io.BytesIO = signers.sign_pdf(writer, metadata, self._signer, timestamper=stamper)
        return signed.getvalue()


class _Stamper(TimeStamper):
    def __init__(self, stamp: Stamp) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # the library's
        self._stamp = stamp

    async def async_request_tsa_response(self, req: tsp.TimeStampReq) -> tsp.TimeStampResp:
        answer = await asyncio.to_thread(self._stamp, req.dump())
        return tsp.TimeStampResp.load(answer)

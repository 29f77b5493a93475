"""Sound out of any recording: 16 kHz samples on the exhibit's own time line, and their digest.

What is not guaranteed: that all damage is noticed (`damaged_packets` counts packets the decoder refused and gaps in the
time line), and that another version of FFmpeg resamples to the same bits; the digest says which samples were heard.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

import av
import numpy as np
from av.error import FFmpegError
from numpy.typing import NDArray

from custody.kernel.errors import Invalid, TooLarge

RATE_HZ = 16_000
MAX_DURATION_MS = 4 * 3600 * 1000
FRAME = RATE_HZ // 10
GAP_S = Fraction(1, 20)
AUDIBLE = 100.0
APART = 4.0
Samples = NDArray[np.int16]

# A playlist or an edit list may name other files and addresses: only containers that hold their own bytes are read.
_CONTAINERS = (
    "wav,w64,flac,mp3,ogg,mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,aac,ac3,eac3,amr,amrnb,amrwb,asf,avi,mpeg,mpegts,aiff,"
    "au,caf,flv,gsm,wv,tta,ape,dss"
)
_OPTIONS = {"format_whitelist": _CONTAINERS, "protocol_whitelist": "none"}


@dataclass(frozen=True)
class Sound:
    """Decoded sound: one row per speaker channel (one, or two of a two-channel intercept), int16 at 16 kHz.

    `sha256` is of the decoded PCM before channels were joined: little-endian 16-bit, interleaved. `streams` is how
    many sound tracks the file has; only the first is here.
    """

    channels: tuple[Samples, ...]
    sha256: str
    streams: int = 1
    damaged_packets: int = 0

    @property
    def duration_ms(self) -> int:
        """Length, rounded up."""
        return -(-len(self.channels[0]) * 1000 // RATE_HZ)


def decode(source: Path | BinaryIO, *, max_duration_ms: int = MAX_DURATION_MS) -> Sound:
    """The sound of an audio or video file, from the beginning of its time line (gaps become silence).

    Holds the samples in memory: 115 MB per hour and channel. Raises Invalid `sound.unreadable` for what is no known
    recording or breaks before its first sound, Invalid `sound.none` for a recording without a sound track, TooLarge
    `sound.too_long` beyond `max_duration_ms` (found while decoding, whatever the file says of itself).
    """
    if isinstance(source, Path):
        with source.open("rb") as file:
            return decode(file, max_duration_ms=max_duration_ms)
    try:
        with av.open(source, "r", options=_OPTIONS) as container:
            if not container.streams.audio:
                raise Invalid("sound.none")
            reader = _Reader(container, max_duration_ms)
            pcm = reader.read()
            streams = len(container.streams.audio)
    except (FFmpegError, ValueError, UnicodeDecodeError) as error:
        raise Invalid("sound.unreadable") from error
    if not pcm.shape[1]:
        raise Invalid("sound.unreadable")
    sha256 = "sha256:" + hashlib.sha256(pcm.T.astype("<i2").tobytes()).hexdigest()
    return Sound(speaker_channels(pcm), sha256, streams, reader.damaged)


class _Reader:
    """Reads the first sound track of a container into rows of samples."""

    def __init__(self, container: av.container.InputContainer, max_duration_ms: int) -> None:
        self.damaged = 0
        self._container = container
        self._stream = container.streams.audio[0]
        self._rows = 2 if self._stream.codec_context.channels == 2 else 1
        self._limit = max_duration_ms * RATE_HZ // 1000
        self._max_duration_ms = max_duration_ms
        self._graph: av.filter.Graph | None = None
        self._format: tuple[object, ...] = ()

    def read(self) -> Samples:
        """All samples, channels × time. Raises TooLarge `sound.too_long`."""
        pieces: list[Samples] = []
        length = 0
        for piece in self._pieces():
            length += piece.shape[1]
            if length > self._limit:
                raise TooLarge("sound.too_long", max_ms=self._max_duration_ms)
            pieces.append(piece)
        return np.concatenate(pieces, axis=1) if pieces else np.zeros((self._rows, 0), np.int16)

    def _pieces(self) -> Iterator[Samples]:
        for frame in self._frames():
            kind = (frame.sample_rate, frame.format.name, frame.layout.name)
            if self._graph is not None and kind != self._format:
                yield from self._drained()
            if self._graph is None:
                self._graph, self._format = self._filter(frame), kind
            self._graph.push(frame)
            yield from self._pulled(self._graph)
        yield from self._drained()

    def _frames(self) -> Iterator[av.AudioFrame]:
        """Decoded frames whose times count from the beginning of the container's time line."""
        offset = Fraction(self._container.start_time or 0, av.time_base)
        expected: Fraction | None = None
        for packet in self._container.demux(self._stream):
            try:
                frames = packet.decode()
            except FFmpegError:
                self.damaged += 1
                continue
            for frame in frames:
                if isinstance(frame, av.AudioFrame):
                    if frame.pts is not None and frame.time_base:
                        begin = frame.pts * frame.time_base
                        self.damaged += expected is not None and begin - expected > GAP_S
                        expected = begin + Fraction(frame.samples, frame.sample_rate)
                        frame.pts -= round(offset / frame.time_base)
                    yield frame

    def _filter(self, frame: av.AudioFrame) -> av.filter.Graph:
        """Resampling that fills gaps in the time line with silence; only the first filter aligns to the beginning."""
        graph = av.filter.Graph()
        first = ":first_pts=0" if not self._format else ""
        layout = "stereo" if self._rows == 2 else "mono"
        graph.link_nodes(
            graph.add_abuffer(
                sample_rate=frame.sample_rate,
                format=frame.format.name,
                layout=frame.layout.name,
                time_base=frame.time_base,
            ),
            graph.add("aresample", f"{RATE_HZ}:async=1{first}"),
            graph.add("aformat", f"sample_fmts=s16p:channel_layouts={layout}"),
            graph.add("abuffersink"),
        ).configure()
        return graph

    def _drained(self) -> Iterator[Samples]:
        if self._graph is not None:
            self._graph.push(None)
            yield from self._pulled(self._graph)
            self._graph = None

    def _pulled(self, graph: av.filter.Graph) -> Iterator[Samples]:
        while True:
            try:
                frame = graph.pull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return
            yield np.asarray(frame.to_ndarray(), np.int16)


def speaker_channels(pcm: Samples) -> tuple[Samples, ...]:
    """Two channels as two speakers when they are (an intercept), else one: their mean, or the only one with sound.

    They are two speakers when, of the tenths of a second with sound, at most a third sound alike in both channels
    (within 12 dB), and each channel leads in some. A stereo recording of one room sounds alike in both.
    """
    if pcm.shape[0] == 1:
        return (pcm[0],)
    loud = np.stack([_loudness(row) for row in pcm])
    audible = loud[:, loud.max(axis=0) > AUDIBLE]
    lead = (audible + 1.0)[0] / (audible + 1.0)[1]
    first, second = int((lead > APART).sum()), int((lead < 1 / APART).sum())
    if first and not second and not (audible[1] > AUDIBLE).any():
        return (pcm[0],)
    if second and not first and not (audible[0] > AUDIBLE).any():
        return (pcm[1],)
    if first and second and first + second >= 2 * lead.size / 3:
        return (pcm[0], pcm[1])
    return (((pcm[0].astype(np.int32) + pcm[1]) // 2).astype(np.int16),)


def _loudness(row: Samples) -> NDArray[np.float64]:
    """Root mean square of each tenth of a second; a shorter rest is left out."""
    whole = row[: len(row) // FRAME * FRAME].reshape(-1, FRAME).astype(np.float64)
    return np.asarray(np.sqrt((whole**2).mean(axis=1)), np.float64)

"""Sound and video: H.264 and AAC in MP4 of at most 1 Mbit/s, with a map of the original's frames and a waveform.

Every frame of the original is in the copy, at its own time; the map says which time stamp each had. FFmpeg (in PyAV)
decodes and encodes; the encoder runs in one thread with fixed parameters: the same input and version give
the same bytes.
"""

import json
from collections.abc import Iterator, Mapping
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np

from custody.kernel.errors import Invalid
from storage.light.making import Made, Tell

WIDTH, HEIGHT = 1280, 720
VIDEO_BITS, SOUND_BITS = 850_000, 64_000
SOUND_RATE = 48_000
PEAKS_PER_S, _PEAK_RATE = 20, 8_000
_TELL_EVERY_MS = 2_000
_X264 = {
    "preset": "veryfast",
    "crf": "27",
    "maxrate": str(VIDEO_BITS),
    "bufsize": str(2 * VIDEO_BITS),
    "profile": "main",
    "threads": "1",  # with more, its rate control depends on which is faster
    "g": "250",
}
_MP4 = {"movflags": "+faststart", "fflags": "+bitexact"}


def make(args: Mapping[str, Any], source: Path, tell: Tell) -> list[Made]:
    """The copy, its waveform if it sounds, its frame map if it moves.

    Raises Invalid `light.unreadable` where FFmpeg finds nothing to decode.
    """
    del args
    try:
        with av.open(str(source), metadata_errors="replace") as container:
            copying = _Copying(container, tell)
            copying.run()
    except av.error.FFmpegError as fault:
        raise Invalid("light.unreadable", what=type(fault).__name__) from fault
    return copying.made()


class _Copying:
    """One pass over a container: each packet is decoded once, and goes into the copy, the map and the waveform."""

    def __init__(self, container: Any, tell: Tell) -> None:
        self._in = container
        self._tell = tell
        self._total_ms = max((container.duration or 0) // 1000, 0)
        self._told_ms = -_TELL_EVERY_MS
        moving = [one for one in container.streams.video if one.width and one.codec_context and not _still(one)]
        sounding = [one for one in container.streams.audio if one.codec_context]
        if not moving and not sounding:
            raise Invalid("light.unreadable", what="streams")
        self._file = "light.mp4" if moving else "light.m4a"
        self._out = av.open(self._file, "w", format="mp4", options=_MP4)
        self._start = Fraction(container.start_time or 0, 1_000_000)
        self._picture = _Picture(moving[0], self._out, self._start) if moving else None
        self._sound = _Sound(sounding[0], self._out, self._start) if sounding else None
        self._faults = 0
        self._waiting: list[Any] = []

    def run(self) -> None:
        """Decode and encode all; a packet that cannot be decoded is passed over and counted."""
        parts: list[Any] = [part for part in (self._picture, self._sound) if part]
        by_stream = {part.stream.index: part for part in parts}
        with self._out:
            for packet in self._packets([part.stream for part in parts]):
                part = by_stream[packet.stream.index]
                try:
                    frames = packet.decode()
                except av.error.FFmpegError:
                    self._faults += 1
                    continue
                for frame in frames:
                    self._write(part.take(frame))
                    self._progress(frame)
            for part in parts:
                self._write(part.end())
            self._out.mux(self._waiting)
        if not any(part.count for part in parts):
            raise Invalid("light.unreadable", what="frames")

    def _write(self, packets: list[Any]) -> None:
        """The container's head names all streams, and what the picture's is only its first frame says: wait for it."""
        self._waiting += packets
        if self._picture is None or self._picture.count:
            self._out.mux(self._waiting)
            self._waiting = []

    def _packets(self, streams: list[Any]) -> Iterator[Any]:
        try:
            yield from self._in.demux(streams)
        except av.error.FFmpegError:
            # A file that was cut off: what was read so far is kept, and the fault is named.
            self._faults += 1

    def _progress(self, frame: Any) -> None:
        if frame.time is not None:
            done_ms = min(int((frame.time - float(self._start)) * 1000), self._total_ms)
            if done_ms - self._told_ms >= _TELL_EVERY_MS:
                self._told_ms = done_ms
                self._tell(max(done_ms, 0), self._total_ms)

    def made(self) -> list[Made]:
        """The files, the copy first."""
        kind = "light_video" if self._picture else "light_sound"
        parameters: dict[str, Any] = {"container": "mp4", "aac_bits_per_second": SOUND_BITS} | dict(_MP4)
        if self._picture:
            parameters |= {"x264": _X264, "width": self._picture.width, "height": self._picture.height}
        details = {"faults": self._faults, "duration_ms": self._total_ms}
        version = f"{av.__version__} (libavcodec {'.'.join(map(str, av.library_versions['libavcodec']))})"
        files = [Made(kind, self._file, "pyav", version, parameters, details)]
        if self._picture and self._picture.count:
            Path("frames.json").write_text(json.dumps(self._picture.map(), separators=(",", ":")))
            files.append(Made("frame_map", "frames.json", "pyav", version, {"v": 1}, {}))
        if self._sound and self._sound.count:
            Path("peaks.json").write_text(json.dumps(self._sound.waveform(), separators=(",", ":")))
            files.append(Made("peaks", "peaks.json", "pyav", version, {"per_second": PEAKS_PER_S}, {}))
        return files


def _still(stream: Any) -> bool:
    """A cover picture inside a sound file."""
    return bool(stream.disposition & av.stream.Disposition.attached_pic)


class _Picture:
    """The video of the copy: scaled to fit, turned upright, at the original's times."""

    def __init__(self, stream: Any, out: Any, start: Fraction) -> None:
        self.stream = stream
        self.stream.thread_type = "AUTO"
        self.stream.codec_context.thread_count = 2
        self._base: Fraction = stream.time_base
        self._start = int(start / self._base)
        self._out = out
        self._to: Any = None
        self._graph: Any = None
        self._last = -1
        self._pts: list[int] = []
        self.width = self.height = 0

    @property
    def count(self) -> int:
        """Frames so far."""
        return len(self._pts)

    def _open(self, frame: Any) -> None:
        turned = int(frame.rotation) % 360
        width, height = (frame.height, frame.width) if turned in (90, 270) else (frame.width, frame.height)
        factor = min(Fraction(WIDTH, width), Fraction(HEIGHT, height), Fraction(1))
        self.width, self.height = (max(2, int(side * factor) // 2 * 2) for side in (width, height))
        graph = av.filter.Graph()
        nodes = [graph.add_buffer(template=self.stream, width=frame.width, height=frame.height, format=frame.format)]
        nodes += [graph.add("transpose", how) for how in {90: ("2",), 180: ("1", "1"), 270: ("1",)}.get(turned, ())]
        nodes += [graph.add("scale", f"{self.width}:{self.height}"), graph.add("format", "yuv420p")]
        nodes.append(graph.add("buffersink"))
        graph.link_nodes(*nodes).configure()
        self._graph, self._shape = graph, (frame.width, frame.height, frame.format.name)
        if self._to is None:
            rate = self.stream.average_rate or Fraction(25)
            self._to = self._out.add_stream("libx264", rate=rate, options=dict(_X264))
            self._to.width, self._to.height, self._to.pix_fmt = self.width, self.height, "yuv420p"
            self._to.codec_context.time_base = self._base

    def take(self, frame: Any) -> list[Any]:
        """The packets that a frame of the original makes."""
        if self._to is None:
            self._open(frame)
        if (frame.width, frame.height, frame.format.name) != self._shape:
            raise Invalid("light.unreadable", what="size")
        pts = frame.pts if frame.pts is not None else self._last + 1
        self._pts.append(pts)
        # The encoder wants times that grow; the map keeps what the original said.
        self._last = max(pts - self._start, self._last + 1)
        self._graph.vpush(frame)
        ready = self._graph.vpull()
        ready.pts, ready.time_base, ready.pict_type = self._last, self._base, 0
        return list(self._to.encode(ready))

    def end(self) -> list[Any]:
        """What the encoder still holds."""
        return list(self._to.encode(None)) if self._to is not None else []

    def map(self) -> dict[str, Any]:
        """The original's time stamps: the first, then steps as [step, how often]."""
        steps: list[list[int]] = []
        for before, after in pairwise(self._pts):
            if steps and steps[-1][0] == after - before:
                steps[-1][1] += 1
            else:
                steps.append([after - before, 1])
        rate = self.stream.average_rate
        return {
            "v": 1,
            "time_base": [self._base.numerator, self._base.denominator],
            "average_rate": [rate.numerator, rate.denominator] if rate else None,
            "frames": len(self._pts),
            "first": self._pts[0],
            "steps": steps,
        }


class _Sound:
    """The sound of the copy, and its waveform."""

    def __init__(self, stream: Any, out: Any, start: Fraction) -> None:
        self.stream = stream
        layout = "mono" if stream.channels == 1 else "stereo"
        self._to = out.add_stream("aac", rate=SOUND_RATE, layout=layout)
        self._to.bit_rate = SOUND_BITS
        self._resampler = av.AudioResampler("fltp", layout, SOUND_RATE)
        self._for_peaks = av.AudioResampler("s16", "mono", _PEAK_RATE)
        self._start = start
        self._fifo = av.AudioFifo()
        self._next: int | None = None
        self._rest: Any = np.zeros(0, np.int16)
        self._peaks: list[int] = []
        self.count = 0

    def take(self, frame: Any) -> list[Any]:
        """The packets that a stretch of sound makes."""
        self.count += 1
        for small in self._for_peaks.resample(frame):
            self._hear(small.to_ndarray()[0])
        if self._next is None:
            begins = Fraction(frame.pts * frame.time_base) if frame.pts is not None else self._start
            self._next = max(0, int((begins - self._start) * SOUND_RATE))
        return self._encode(self._resampler.resample(frame))

    def end(self) -> list[Any]:
        """What resampler and encoder still hold."""
        if self._next is None:
            return []
        packets = self._encode(self._resampler.resample(None))
        last = self._fifo.read(0, partial=True)
        if last is not None:
            packets += self._send(last)
        return packets + list(self._to.encode(None))

    def _encode(self, frames: list[Any]) -> list[Any]:
        packets: list[Any] = []
        for frame in frames:
            frame.pts = None
            self._fifo.write(frame)
        while (full := self._fifo.read(1024)) is not None:
            packets += self._send(full)
        return packets

    def _send(self, frame: Any) -> list[Any]:
        frame.pts, frame.time_base = self._next, Fraction(1, SOUND_RATE)
        self._next = (self._next or 0) + frame.samples
        return list(self._to.encode(frame))

    def _hear(self, samples: Any) -> None:
        each = _PEAK_RATE // PEAKS_PER_S
        samples = np.concatenate([self._rest, samples])
        whole = len(samples) // each * each
        loud = np.abs(samples[:whole].astype(np.int32)).reshape(-1, each).max(axis=1) >> 7
        self._peaks += [min(int(peak), 255) for peak in loud]
        self._rest = samples[whole:]

    def waveform(self) -> dict[str, Any]:
        """How loud it is, PEAKS_PER_S times a second, 0 to 255."""
        return {"v": 1, "per_second": PEAKS_PER_S, "most": 255, "peaks": self._peaks}

"""Sound and video: container, streams, tags. Read with FFmpeg (PyAV); no frame is decoded."""

from pathlib import Path

import av

from storage.identify.model import Claims

_ASKED = 20


def read(source: Path, media_type: str, claims: Claims) -> None:
    """Raises av.error.FFmpegError for what is no container FFmpeg knows."""
    del media_type
    claims.tools["pyav"] = av.__version__
    with av.open(str(source), metadata_errors="replace") as container:
        claims.claim("media.container", container.format.name)
        if container.duration is not None:
            claims.claim("media.duration_ms", container.duration // 1000)
        claims.claim("media.bits_per_second", container.bit_rate or None)
        claims.claim("media.streams", len(container.streams))
        for key, value in list(container.metadata.items())[:_ASKED]:
            claims.claim(f"media.tag.{key}", value)
        for place, stream in enumerate(container.streams):
            if place >= _ASKED:
                break
            _stream(stream, place, claims)


def _stream(stream: "av.stream.Stream", place: int, claims: Claims) -> None:
    codec = stream.codec_context.name if stream.codec_context else "?"
    said = [stream.type, codec]
    if isinstance(stream, av.VideoStream):
        said += [f"{stream.width} × {stream.height}", f"{stream.average_rate} fps"]
    elif isinstance(stream, av.AudioStream):
        said += [f"{stream.rate} Hz", f"{stream.channels} ch"]
    claims.claim(f"media.stream.{place + 1}", ", ".join(said))
    for key in ("creation_time", "handler_name", "encoder"):
        if key in stream.metadata:
            claims.claim(f"media.stream.{place + 1}.{key}", stream.metadata[key])

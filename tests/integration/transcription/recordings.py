"""Recordings for tests, made on the spot or taken from the demonstration case."""

import io
from pathlib import Path

import av
import numpy as np

import evidence_api.demo
from transcription.sound import RATE_HZ

DEMO = Path(evidence_api.demo.__file__).parent / "files"


def recorded(samples, form="wav", codec="pcm_s16le", rate_hz=RATE_HZ):
    """A file in memory with these int16 samples (channels × time)."""
    made = io.BytesIO()
    layout = "stereo" if samples.shape[0] == 2 else "mono"
    with av.open(made, "w", format=form) as container:
        stream = container.add_stream(codec, rate=rate_hz, layout=layout)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples.T.reshape(1, -1)), format="s16", layout=layout)
        frame.sample_rate, frame.pts = rate_hz, 0
        resampler = av.AudioResampler(
            stream.codec_context.format, layout, rate_hz, stream.codec_context.frame_size or None
        )
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            for packet in stream.encode(piece):
                container.mux(packet)
        for packet in stream.encode(None):
            container.mux(packet)
    return io.BytesIO(made.getvalue())


def tone(seconds, hertz=440, level=6000):
    return (level * np.sin(2 * np.pi * hertz * np.arange(int(seconds * RATE_HZ)) / RATE_HZ)).astype(np.int16)


def film(sound=None, sound_from_ms=0):
    """Two seconds of video; with sound, if any, that begins later."""
    made = io.BytesIO()
    with av.open(made, "w", format="matroska") as container:
        video = container.add_stream("mpeg4", rate=10)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        track = container.add_stream("pcm_s16le", rate=RATE_HZ, layout="mono") if sound is not None else None
        for number in range(20):
            picture = av.VideoFrame(64, 48, "yuv420p")
            picture.pts = number
            container.mux(video.encode(picture))
        container.mux(video.encode(None))
        if track is not None:
            frame = av.AudioFrame.from_ndarray(sound[None], format="s16", layout="mono")
            frame.sample_rate, frame.pts = RATE_HZ, sound_from_ms * RATE_HZ // 1000
            container.mux(track.encode(frame))
    return io.BytesIO(made.getvalue())

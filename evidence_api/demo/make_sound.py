"""Makes `files/interrogation.flac`: a questioning of about 80 seconds, two voices, Russian with a Kazakh passage.

Run: `python -m evidence_api.demo.make_sound`. Needs Debian's `festival` and `festvox-ru` (free output); the finished
sound is committed, so nobody needs them to run Dälel. Festival has one Russian voice: the second is the same voice with
pitch and formants moved by resampling and its tempo put back (libavfilter through PyAV). There is no free Kazakh voice
in Debian: the Kazakh passage is read by the Russian voice from letters folded to their nearest Russian ones. A Kazakh
speaker would call that an accent at best; it exercises the language choice and measures nothing about Kazakh.

`files/interrogation.json` says what was spoken, by whom, in which language and when (milliseconds): the truth that
tests compare a transcript with.
"""

import json
import subprocess
import sys
import tempfile
import wave
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from evidence_api.demo.people import WITNESS

FILES = Path(__file__).parent / "files"
RATE_HZ = 16_000
VOICE = "msu_ru_nsh_clunits"
PITCH = {"investigator": 1.06, "witness": 0.88}
PAUSE_MS = {"turn": 550, "edge": 500}
_STEP = 8  # 13 bits of 16: a dictaphone has no more, and the file shrinks by a third
_DIGITS = ("ноль", "один", "два", "три", "четыре", "пять", "шесть", "семь", "восемь", "девять")
_FOLD = str.maketrans("әғқңөұүһіӘҒҚҢӨҰҮҺІ", "агкноуухиАГКНОУУХИ")


@dataclass(frozen=True)
class Line:
    """One utterance: the text as it is read aloud (numbers in words)."""

    speaker: str
    language: str
    text: str


def _spelled(number: str) -> str:
    """An identification number digit by digit, in pairs, as people dictate it."""
    return ", ".join(" ".join(_DIGITS[int(digit)] for digit in number[at : at + 2]) for at in range(0, len(number), 2))


LINES = (
    Line("investigator", "ru", "Назовите, пожалуйста, вашу фамилию, имя и отчество."),
    Line("witness", "ru", "Моя фамилия Жумабаев, имя Адилет, отчество Серикович."),
    Line("investigator", "ru", "Назовите ваш индивидуальный идентификационный номер."),
    Line("witness", "ru", f"Мой номер такой: {_spelled(WITNESS.iin)}."),
    Line("investigator", "ru", "Где вы живёте и какой у вас телефон?"),
    Line(
        "witness",
        "ru",
        "Я живу в городе Алматы, улица Абая, дом девятьсот сорок пять, квартира двенадцать. "
        "Мой телефон: восемь, семьсот девять, сто двадцать три, сорок пять, шестьдесят семь.",
    ),
    Line("investigator", "ru", "Расскажите, что вы видели вечером двенадцатого октября."),
    Line(
        "witness",
        "ru",
        "Вечером я вышел из дома и увидел Петрова Игоря Николаевича. "
        "Он разбил стекло чёрной машины и забрал из неё сумку. Потом Игорь Петров убежал в сторону парка.",
    ),
    Line("investigator", "kk", "Қазақ тілінде айтып бере аласыз ба?"),
    Line(
        "witness",
        "kk",
        "Иә, айта аламын. Кешке мен Алматыда үйде болдым. Содан кейін Игорь Петровты өз көзіммен көрдім. "
        "Ол менің көршім, оны бес жылдан бері танимын.",
    ),
    Line("investigator", "ru", "Кто ещё был рядом с вами?"),
    Line(
        "witness",
        "ru",
        "Со мной была моя сестра, Жумабаева Айгуль. Вы можете поговорить с Айгуль Жумабаевой, она тоже всё видела.",
    ),
    Line("investigator", "ru", "Спасибо, Адилет Серикович. На этом допрос окончен."),
)


def speak(line: Line) -> NDArray[np.int16]:
    """The utterance as 16 kHz mono samples. Raises CalledProcessError when festival fails."""
    text = line.text.translate(_FOLD) if line.language == "kk" else line.text
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "line.txt"), Path(folder, "line.wav")
        source.write_text(text, encoding="utf-8")
        command = ["text2wave", "-eval", f"(voice_{VOICE})", str(source), "-o", str(target)]
        subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - fixed command of a maker's script
        with wave.open(str(target)) as sound:
            samples = np.frombuffer(sound.readframes(sound.getnframes()), np.int16)
    return _trimmed(_repitched(samples, PITCH[line.speaker]))


def _repitched(samples: NDArray[np.int16], factor: float) -> NDArray[np.int16]:
    """Pitch and formants times `factor`, same tempo."""
    if factor == 1.0:
        return samples
    graph = av.filter.Graph()
    links = [
        graph.add_abuffer(sample_rate=RATE_HZ, format="s16", layout="mono"),
        graph.add("asetrate", str(round(RATE_HZ * factor))),
        graph.add("aresample", str(RATE_HZ)),
        graph.add("atempo", f"{1 / factor:.6f}"),
        graph.add("aformat", "sample_fmts=s16:channel_layouts=mono"),
        graph.add("abuffersink"),
    ]
    graph.link_nodes(*links).configure()
    frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
    frame.sample_rate = RATE_HZ
    graph.push(frame)
    graph.push(None)
    pieces = []
    while True:
        try:
            pieces.append(graph.pull().to_ndarray().reshape(-1))
        except (av.error.EOFError, av.error.BlockingIOError):
            return np.concatenate(pieces).astype(np.int16)


def _trimmed(samples: NDArray[np.int16]) -> NDArray[np.int16]:
    """Without the silence at both ends, at an even loudness."""
    loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > 200)
    kept = samples[loud[0] : loud[-1] + 1].astype(np.float64)
    level = kept * (9000 / np.percentile(np.abs(kept), 99))
    return np.asarray(np.round(level / _STEP) * _STEP, np.int16)


def assemble() -> tuple[NDArray[np.int16], list[dict[str, str | int]]]:
    """All lines with pauses between them, and the truth: who, when (ms), in which language, which words."""
    silence = {name: np.zeros(ms * RATE_HZ // 1000, np.int16) for name, ms in PAUSE_MS.items()}
    pieces, truth, at = [silence["edge"]], [], len(silence["edge"])
    for line in LINES:
        samples = speak(line)
        times: dict[str, str | int] = {
            "start_ms": at * 1000 // RATE_HZ,
            "end_ms": (at + len(samples)) * 1000 // RATE_HZ,
        }
        truth.append({"speaker": line.speaker, "language": line.language, "text": line.text, **times})
        pieces += [samples, silence["turn"]]
        at += len(samples) + len(silence["turn"])
    return np.concatenate([*pieces, silence["edge"]]), truth


def write(path: Path, samples: NDArray[np.int16]) -> None:
    """A FLAC file, the same bytes for the same samples and library."""
    with av.open(str(path), "w", format="flac", options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream("flac", rate=RATE_HZ, layout="mono", options={"compression_level": "12"})
        stream.codec_context.flags |= av.codec.context.Flags.bitexact
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = RATE_HZ
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)


def main() -> None:
    """Make the sound and its truth."""
    samples, truth = assemble()
    FILES.mkdir(exist_ok=True)
    write(FILES / "interrogation.flac", samples)
    (FILES / "interrogation.json").write_text(json.dumps(truth, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(f"{len(samples) / RATE_HZ:.1f} s, {(FILES / 'interrogation.flac').stat().st_size} bytes\n")


if __name__ == "__main__":
    main()

"""Trains the Kazakh name model from KazNERD (ISSAI, Nazarbayev University, CC BY 4.0); the data are not part of Dälel.

`python -m redaction.suggest.train_kazakh TRAIN.iob2 DEV.iob2 MODEL` writes the model and prints its figures on DEV.
Sentences of DEV are told apart by number: up to six variants of one sentence differ in typography only.
"""

import hashlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pycrfsuite  # type: ignore[import-untyped]  # ships no types

from redaction.suggest.kazakh import KINDS, KazakhNames, features

_LABELS = {"PERSON": "PERSON", "GPE": "LOCATION", "LOCATION": "LOCATION"}
_PARAMETERS = {"c1": 0.4, "c2": 0.02, "max_iterations": 120, "feature.minfreq": 2, "feature.possible_transitions": True}
Sentence = tuple[str, list[str], list[str]]


def sentences(path: Path) -> Iterator[Sentence]:
    """(number, words, labels) of every sentence; labels other than persons and places become O."""
    for block in path.read_text(encoding="utf-8").split("\n\n"):
        lines = block.strip().splitlines()
        if not lines or not lines[0].startswith("# id"):
            continue
        rows = [line.rsplit(" ", 1) for line in lines[1:] if " " in line]
        yield re.sub(r"\D", "", lines[0]), [word for word, _ in rows], [_label(tag) for _, tag in rows]


def _label(tag: str) -> str:
    part, _, kind = tag.partition("-")
    return f"{part}-{_LABELS[kind]}" if kind in _LABELS else "O"


def train(data: Path, model: Path) -> None:
    """Write the model. Every fifth sentence is also learnt in small letters, as recognizers of speech may write it."""
    trainer = pycrfsuite.Trainer(algorithm="lbfgs", params=_PARAMETERS, verbose=False)
    for place, (_, words, labels) in enumerate(sentences(data)):
        trainer.append(features(words), labels)
        if place % 5 == 0:
            trainer.append(features([word.lower() for word in words]), labels)
    trainer.train(str(model))


def evaluate(data: Path, model: Path) -> dict[str, float]:
    """Of the words of persons (and places) in one variant of each sentence: the share found, and the share right."""
    names = KazakhNames(model, hashlib.sha256(model.read_bytes()).hexdigest())
    counts = dict.fromkeys((f"{kind}_{what}" for kind in KINDS for what in ("found", "there", "told")), 0)
    seen: set[str] = set()
    for number, words, labels in sentences(data):
        if number in seen:
            continue
        seen.add(number)
        text, starts = "", []
        for word in words:
            starts.append(len(text))
            text += word + " "
        spans = list(names.find(text))
        for kind in KINDS:
            there = {place for place, label in enumerate(labels) if label.endswith(kind)}
            told = {
                place
                for place, start in enumerate(starts)
                if any(
                    one.entity == kind and one.start < start + len(words[place]) and start < one.end for one in spans
                )
            }
            counts[f"{kind}_there"] += len(there)
            counts[f"{kind}_told"] += len(told)
            counts[f"{kind}_found"] += len(there & told)
    figures = {f"{kind}_recall": counts[f"{kind}_found"] / counts[f"{kind}_there"] for kind in KINDS}
    return figures | {f"{kind}_precision": counts[f"{kind}_found"] / counts[f"{kind}_told"] for kind in KINDS}


if __name__ == "__main__":
    train(Path(sys.argv[1]), Path(sys.argv[3]))
    for name, figure in evaluate(Path(sys.argv[2]), Path(sys.argv[3])).items():
        sys.stdout.write(f"{name} {figure:.3f}\n")
    sys.stdout.write(f"sha256 {hashlib.sha256(Path(sys.argv[3]).read_bytes()).hexdigest()}\n")

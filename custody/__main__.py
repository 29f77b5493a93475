"""`python -m custody verify PACKAGE --policy POLICY [--tsa-roots FILE] [--json] [--lang kk|ru|en]`, and others.

    python -m custody monitor …: see `commands_monitor`
    python -m custody witness-key NAME --key FILE --state FILE
    python -m custody witness --key FILE --state FILE --listen 127.0.0.1:PORT --log VKEY … [--policy FILE]

Needs Python and `cryptography`, no network, no database, no server. Exit 0: verified; 1: refused; 2: nothing could be
verified (no such file, no usable policy, no usable witness). What it prints is in plain words; `--json` prints one
object instead.
"""

import argparse
import io
import json
import os
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from custody import commands_monitor
from custody.proof import policy, timestamp, words
from custody.proof.policy import Policy
from custody.proof.refusal import Step, VerificationError
from custody.proof.strict import ProofError
from custody.proof.verify import Passed, Verified, verify_path

VERIFIED, REFUSED, UNUSABLE = 0, 1, 2
CLOCK_TOLERANCE_S = 300


def main(arguments: list[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    options = _options(arguments)
    match options.command:
        case "witness":
            return _witness(options)
        case "witness-key":
            return _witness_key(options)
        case "monitor":
            return commands_monitor.run(options, lambda: int(time.time()) + CLOCK_TOLERANCE_S)
        case _:
            return _verify(options)


def _witness_key(options: argparse.Namespace) -> int:
    from custody import witness  # noqa: PLC0415  the verifier carries no witness

    try:
        _print(*witness.create(options.name, options.key, options.state, ml_dsa=options.ml_dsa).vkeys)
    except witness.Unusable as error:
        sys.stderr.write(f"{error}\n")
        return UNUSABLE
    return VERIFIED


def _witness(options: argparse.Namespace) -> int:
    """Serves until it is told to stop; a witness may be killed at any moment."""
    from custody import witness, witness_server  # noqa: PLC0415  as above

    try:
        server = witness_server.serve(
            options.key, options.state, options.listen, options.log, lambda: int(time.time()), options.policy
        )
    except witness.Unusable as error:
        sys.stderr.write(f"{error}\n")
        return UNUSABLE
    sys.stderr.write(f"witness {' '.join(server.witness.vkeys)} listens on {options.listen}\n")
    with suppress(KeyboardInterrupt), server:
        server.serve_forever()
    return VERIFIED


def _verify(options: argparse.Namespace) -> int:
    try:
        trusted = _policy(options.policy)
    except (OSError, ProofError) as error:
        return _unusable(options, "policy", error)
    try:
        tsa_roots = timestamp.parse_roots(options.tsa_roots.read_bytes()) if options.tsa_roots else ()
    except (OSError, ProofError) as error:
        return _unusable(options, "tsa_roots", error)
    steps: list[Passed] = []
    # A cosignature from the future is refused, within what two honest clocks may differ by.
    now_s = int(time.time()) + CLOCK_TOLERANCE_S
    try:
        verified = verify_path(options.package, trusted, now_s=now_s, tsa_roots=tsa_roots, report=steps.append)
    except VerificationError as refusal:
        _print_refused(options, steps, refusal)
        return REFUSED
    except OSError as error:
        return _unusable(options, "package", error)
    _print_verified(options, verified)
    return VERIFIED


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m custody")
    commands = parser.add_subparsers(dest="command", required=True)
    verify = commands.add_parser("verify", help="verify a disclosure package without network or server")
    verify.add_argument("package", type=Path, help="the package: a ZIP file, or the folder it was unpacked to")
    verify.add_argument("--policy", type=Path, required=True, help="whom you trust (C2SP tlog-policy)")
    verify.add_argument("--tsa-roots", type=Path, help="ask for a time stamp by an authority under these roots (PEM)")
    verify.add_argument("--json", action="store_true", help="print one JSON object")
    verify.add_argument("--lang", choices=sorted(words.LANGUAGES), default=_language(os.environ))
    witness = commands.add_parser("witness", help="cosign the heads of logs (C2SP tlog-witness)")
    witness.add_argument("--listen", required=True, metavar="HOST:PORT")
    witness.add_argument("--log", action="append", default=[], metavar="VKEY", help="a log to cosign for")
    witness.add_argument("--policy", type=Path, help="cosign for the logs of this file too; it is read each time")
    key = commands.add_parser("witness-key", help="make a witness's key and its empty state; prints the vkey")
    key.add_argument("name", help="the key's name, such as court.example/dalel")
    key.add_argument(
        "--ml-dsa", action="store_true", help="a second key in the file: ML-DSA-44, which signs every head too"
    )
    for command in (witness, key):
        command.add_argument("--key", type=Path, required=True, help="the witness's key file")
        command.add_argument("--state", type=Path, required=True, help="what it must never forget; never restore it")
    commands_monitor.add(commands, sorted(words.LANGUAGES), _language(os.environ))
    return parser.parse_args(arguments)


def _language(environment: Mapping[str, str]) -> str:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if environment.get(name):
            start = environment[name][:2].lower()
            return start if start in words.LANGUAGES else "en"
    return "en"


def _policy(path: Path) -> Policy:
    with path.open("rb") as file:
        return policy.parse(file.read(policy.MAX_BYTES + 1))


def _unusable(options: argparse.Namespace, what: str, error: OSError | ProofError) -> int:
    language = options.lang
    why = words.because(error.reason, language) if isinstance(error, ProofError) else error.strerror or "?"
    text = words.said("unusable", language, what=words.said(f"what.{what}", language), why=why)
    _print_json({"verified": None, "error": text}) if options.json else _print(text)
    return UNUSABLE


def _print_verified(options: argparse.Namespace, verified: Verified) -> None:
    language = options.lang
    if options.json:
        report = asdict(verified)
        report["steps"] = [_step(step, language) for step in verified.steps]
        _print_json({"verified": True, **report})
        return
    for step in verified.steps:
        _print(*_lines(_step(step, language), language))
    _print(
        "",
        words.said("verified", language, files=len(verified.files), exhibits=verified.exhibits),
        words.said("limits", language),
        words.said("unsigned", language, names=", ".join(verified.unsigned)),
    )


def _print_refused(options: argparse.Namespace, steps: list[Passed], refusal: VerificationError) -> None:
    language = options.lang
    said = refusal.said(language)
    if options.json:
        failed = {"step": int(refusal.step), **said, "code": refusal.code}
        _print_json({"verified": False, **failed, "steps": [_step(step, language) for step in steps]})
        return
    for step in steps:
        _print(*_lines(_step(step, language), language))
    _print(
        f"{int(refusal.step)}. {said['name']}: {words.said('failed', language)}",
        "",
        words.said("refused", language, step=int(refusal.step), name=said["name"]),
        *(_labelled(key, said[key], language) for key in ("expected", "found", "does_not_prove")),
    )


def _step(step: Passed, language: str) -> dict[str, str | int | bool]:
    number = Step(step.step)
    return {
        "step": int(number),
        "name": words.step_name(number, language),
        "ok": True,
        "expected": words.expected(number, language),
        "found": words.found(step.code, step.values, language),
    }


def _lines(step: dict[str, str | int | bool], language: str) -> list[str]:
    return [
        f"{step['step']}. {step['name']}: {words.said('ok', language)}",
        *("   " + _labelled(key, str(step[key]), language) for key in ("expected", "found")),
    ]


def _labelled(key: str, text: str, language: str) -> str:
    # the sentence is ours and its values are already safe to print; only the label is added here
    return str(words.LANGUAGES[language].SAID[key]).format(text=text)


def _print(*lines: str) -> None:
    for line in lines:
        sys.stdout.write(line + "\n")


def _print_json(value: object) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=1) + "\n")


if __name__ == "__main__":
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    sys.exit(main())

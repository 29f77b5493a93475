"""The reader's language by Accept-Language (RFC 9110, section 12.5.4)."""

from collections.abc import Sequence


def negotiate(header: str | None, offered: Sequence[str]) -> str:
    """The offered language that the header wants most. Malformed parts are passed over."""
    best, best_weight = offered[0], 0.0
    for part in (header or "")[:200].split(","):
        tag, _, parameter = part.strip().partition(";")
        language = tag.strip().lower().split("-")[0]
        weight = _weight(parameter.strip())
        if language in offered and weight > best_weight:
            best, best_weight = language, weight
    return best


def _weight(parameter: str) -> float:
    if not parameter:
        return 1.0
    name, _, value = parameter.partition("=")
    try:
        return min(float(value), 1.0) if name.strip() == "q" else 0.0
    except ValueError:
        return 0.0

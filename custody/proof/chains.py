"""Steps 5 and 6: the chains of events are whole, and the disclosure closes each of them."""

from collections.abc import Mapping, Sequence

from custody.proof.disclosure import Manifest
from custody.proof.grammar import Event, same
from custody.proof.refusal import Step, VerificationError

Chains = Mapping[str, Sequence[Event]]


def exhibit_item(exhibit: str) -> str:
    """The chain of an exhibit."""
    return f"exhibit:{exhibit}"


def disclosure_item(disclosure: str) -> str:
    """The chain of a disclosure."""
    return f"disclosure:{disclosure}"


def complete(events: Sequence[Event], manifest: Manifest) -> dict[str, list[Event]]:
    """The events by item, each chain whole from its first event on: step 5.

    Raises VerificationError for an event too many, missing, out of order, altered, or of a chain or case that this
    disclosure does not name.
    """
    wanted = [disclosure_item(manifest.disclosure), *map(exhibit_item, manifest.exhibits)]
    chains: dict[str, list[Event]] = {item: [] for item in wanted}
    seen: set[str] = set()
    for event in events:
        if event.item not in chains:
            raise VerificationError(Step.CHAINS, "chain.foreign", item=event.item)
        chain = chains[event.item]
        if event.item_seq != len(chain):
            raise VerificationError(
                Step.CHAINS, "chain.gap", item=event.item, expected=len(chain), found=event.item_seq
            )
        if event.prev != _predecessor(chain):
            raise VerificationError(Step.CHAINS, "chain.prev", item=event.item, sequence=event.item_seq)
        if event.id in seen:
            raise VerificationError(Step.CHAINS, "chain.twice", item=event.item, sequence=event.item_seq)
        if event.case not in (None, manifest.case) or not _speaks_of_itself(event):
            raise VerificationError(Step.CHAINS, "chain.moved", item=event.item, sequence=event.item_seq)
        seen.add(event.id)
        chain.append(event)
    for item, chain in chains.items():
        if not chain:
            raise VerificationError(Step.CHAINS, "chain.missing", item=item)
    return chains


def bound(chains: Chains, manifest: Manifest, manifest_sha256: str) -> None:
    """Step 6: the last event of each chain is this disclosure, and names this very manifest and a person who released.

    Raises VerificationError.
    """
    for item, chain in chains.items():
        release = item == disclosure_item(manifest.disclosure)
        last, type = chain[-1], "disclosure.released" if release else "exhibit.disclosed"
        if last.type != type:
            raise VerificationError(Step.BINDING, "bind.last", item=item, expected=type, found=last.type)
        if last.data["manifest_sha256"] != manifest_sha256:
            raise VerificationError(
                Step.BINDING,
                "bind.digest",
                item=item,
                expected=str(last.data["manifest_sha256"]),
                found=manifest_sha256,
            )
        named = (last.data["disclosure"], last.data["round"], last.case)
        if not all(map(same, named, (manifest.disclosure, manifest.round, manifest.case))):
            raise VerificationError(Step.BINDING, "bind.other", item=item)
        if release and last.actor is None:
            raise VerificationError(Step.BINDING, "bind.nobody", item=item)


def _predecessor(chain: Sequence[Event]) -> str | None:
    return "sha256:" + chain[-1].hash.hex() if chain else None


def _speaks_of_itself(event: Event) -> bool:
    """An event's data names the exhibit or the disclosure whose chain it stands on."""
    kind, _, identity = event.item.partition(":")
    return kind not in event.data or event.data[kind] == identity

"""Facts of OIDC providers of workload identity pools of Google Cloud."""

from collections.abc import Iterator
from typing import Literal

from irsa_doctor.facts.clouds.lookup import CloudLookups
from irsa_doctor.facts.clouds.records import PoolProviderFacts
from irsa_doctor.facts.subject import Evidence, Judged
from irsa_doctor.issuers.guards import guard_of
from irsa_doctor.model import PoolProvider, Text, Unknown, text_of
from irsa_doctor.trust.clouds.cel import CelCondition, ClaimComparison, always_holds, claim_comparisons, read_condition
from irsa_doctor.trust.clouds.matching import PLACEHOLDERS_OF_CLOUD


def _mistyped(condition: CelCondition) -> list[ClaimComparison]:
    """The comparisons with numbers and booleans alone."""
    return [
        comparison
        for comparison in claim_comparisons(condition)
        if not any(isinstance(value, str) for value in comparison.literals.values) and comparison.operator in ("==", "!=", "in")
    ]


def _types(provider: PoolProvider) -> Literal["fine", "never", "always", "partly"] | Unknown:
    written = provider.condition
    if isinstance(written, Text) or isinstance(provider.issuer, Text):
        return PLACEHOLDERS_OF_CLOUD
    if not written:
        return "fine"
    condition = read_condition(written)
    if condition is None:
        return Unknown(f"what the condition {written} of {provider.id} means: it is more than what is read of CEL")
    # issuers that many customers share are CI systems, whose claims are texts
    shared = guard_of(provider.issuer.removeprefix("https://").rstrip("/"), built_in=False) is not None
    if not shared or not _mistyped(condition):
        return "fine"
    answer = always_holds(condition, of_texts=True)
    return "partly" if answer is None else "always" if answer else "never"


def pool_provider_facts(provider: PoolProvider) -> Judged:
    """The facts of one provider."""
    condition = read_condition(text_of(provider.condition))
    first = next(iter(_mistyped(condition)), None) if condition else None
    facts = PoolProviderFacts(condition_types=_types(provider))
    names = {
        "provider": provider.id,
        "condition": text_of(provider.condition),
        "claim": f"{first.claim.of}.{first.claim.name}" if first else "",
        "effect": _EFFECTS.get(facts.condition_types, "") if isinstance(facts.condition_types, str) else "",
    }
    places = {"condition": provider.place.at("attributeCondition")}
    return Judged("pool-provider", provider.id, provider.id, facts, lambda: Evidence(names, places))


_EFFECTS = {
    "never": "no token meets the condition",
    "always": "every token meets the condition",
    "partly": "only its other parts count",
}


def pool_facts(lookups: CloudLookups) -> Iterator[Judged]:
    """Every provider of a pool with its facts."""
    yield from (pool_provider_facts(provider) for provider in lookups.clouds.providers if provider.name)

"""What is wrong with the ARN of an OIDC provider, in words."""

import re
from collections.abc import Iterator

from irsa_doctor.facts.lookups.names import is_one_letter_off
from irsa_doctor.model import UNEXPANDED, Arn, Issuer, is_account_id, parse_arn
from irsa_doctor.model.regex import regex
from irsa_doctor.trust.audiences import has_invisible, made_visible

_SWAPPED_HOST = regex(r"oidc\.[a-z0-9-]+\.eks\.", re.IGNORECASE)
_FORM = "arn:PARTITION:iam::ACCOUNT:oidc-provider/oidc.eks.REGION.amazonaws.com/id/ID"


def arn_mistakes(principal: str, meant: str) -> str:
    """How a principal misses the provider (ARN) that was meant, "" where that is unknown; as the middle of a sentence."""
    arn, right = parse_arn(principal), parse_arn(meant)
    flaws = list(_of_form(arn, principal)) + (list(_differences(arn, right)) if arn and right else [])
    expected = f'expected "{meant}"' if meant else f"expected {_FORM}"
    return f"{' and '.join(dict.fromkeys(flaws)) or 'no provider has this ARN'}; {expected}"


def _of_form(arn: Arn | None, principal: str) -> Iterator[str]:
    """What is wrong with any EKS provider of this ARN."""
    name = arn.name if arn else principal
    if "*" in name or "?" in name:
        yield "wildcards are compared literally"
    if UNEXPANDED in principal:
        yield "its placeholder stays text, because no function of the template expands it"
    if "://" in name:
        yield "it has a scheme"
    if name.startswith("arn:"):
        yield "it has a whole ARN where the issuer stands"
    if name.endswith("/"):
        yield "it ends with a slash"
    if _SWAPPED_HOST.match(name):
        yield "region and eks are swapped"
    elif "eks" in name and "/id/" not in name and not name.endswith("/"):
        yield "/id/ is missing"
    if arn and not is_account_id(arn.account) and "${" not in principal:
        yield f'"{arn.account}" is not an account id (12 digits)'
    partition = Issuer.of(name).partition
    if arn and partition and partition != arn.partition:
        yield f"its partition is {arn.partition}, that of the issuer is {partition}"


def _differences(arn: Arn, right: Arn) -> Iterator[str]:
    """Where it differs from the provider that was meant."""
    if arn.account != right.account and is_account_id(arn.account):
        yield f"it names account {arn.account} in place of {right.account}"
    if arn.partition != right.partition and not Issuer.of(arn.name).partition:
        yield f"its partition is {arn.partition} in place of {right.partition}"
    written, expected = Issuer.of(arn.name), Issuer.of(right.name)
    if written.region and expected.region and written.region != expected.region:
        yield f"it names the region {written.region} in place of {expected.region}"
    elif arn.name == right.name:
        return
    elif arn.name == right.name.removesuffix("/"):
        yield "it lacks the slash at the end of the issuer"
    elif arn.name.lower() == right.name.lower():
        yield "it differs in case"
    elif has_invisible(arn.name):
        yield f'it has a space or an invisible character ("{made_visible(arn.name)}")'
    elif is_one_letter_off(arn.name, right.name):
        yield "it differs in one character"

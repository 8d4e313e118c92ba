"""The statement as it should be."""

from collections.abc import Mapping, Sequence

import msgspec

from irsa_doctor.model.findings import Snippet
from irsa_doctor.trust import SUBJECT_PREFIX

AUDIENCE = "sts.amazonaws.com"
_ACTION = "sts:AssumeRoleWithWebIdentity"
Conditions = Mapping[str, Mapping[str, Sequence[str]]]
"""operator -> key -> values"""


def corrected_statement(
    principal: str,
    issuer: str,
    subjects: Sequence[str],
    audiences: Sequence[str] = (AUDIENCE,),
    *,
    patterns: Sequence[str] = (),
    kept: Conditions = {},  # noqa: B006 - a mapping that nobody changes
    companions: Sequence[str] = (),
    one_of_several: bool = False,
) -> Snippet:
    """Trust for one provider (ARN, issuer without scheme): its audiences, its subjects, and `patterns` of them.

    `kept` are further conditions, `companions` further actions; `one_of_several`: the statement had several providers.
    The form of https://docs.aws.amazon.com/eks/latest/userguide/associate-service-account-role.html.
    """
    named = list(dict.fromkeys((*subjects, *patterns))) or [f"{SUBJECT_PREFIX}NAMESPACE:SERVICE_ACCOUNT"]
    conditions: dict[str, dict[str, object]] = {"StringEquals": {f"{issuer}:aud": _short(list(dict.fromkeys(audiences)))}}
    conditions.setdefault("StringLike" if patterns else "StringEquals", {})[f"{issuer}:sub"] = _short(named)
    for operator, keys in kept.items():
        conditions.setdefault(operator, {}).update({key: _short(values) for key, values in keys.items()})
    right = {
        "Effect": "Allow",
        "Principal": {"Federated": principal},
        "Action": [_ACTION, *companions] if companions else _ACTION,
        "Condition": conditions,
    }
    text = msgspec.json.format(msgspec.json.encode(right), indent=2).decode(errors="replace")
    return Snippet("json", "the corrected statement" + (" for this provider" if one_of_several else ""), text)


def _short(values: Sequence[str]) -> object:
    return values[0] if len(values) == 1 else values

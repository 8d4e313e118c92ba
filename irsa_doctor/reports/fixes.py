"""How a fix is shown: what to paste, and what it comes to."""

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from irsa_doctor.model.findings import Fix, Snippet

_LISTED = 4


def snippets_of(fix: Fix | None) -> tuple[Snippet, ...]:
    """The policy as JSON, and each command, for programs."""
    if fix is None:
        return ()
    policy = (Snippet("json", _policy_title(fix), pasted_policy(fix.policy)),) if fix.policy is not None else ()
    return (*policy, *(Snippet("sh", f"run{_managed(fix)}", command) for command in fix.commands))


def pasted(fix: Fix | None) -> tuple[Snippet, ...]:
    """What people paste: the commands, the policy alone where no command saves it."""
    if fix is None or fix.policy is None or not fix.commands:
        return snippets_of(fix)
    first, *more = fix.commands
    return (Snippet("sh", _policy_title(fix), first), *(Snippet("sh", "run", command) for command in more))


def short(fix: Fix | None) -> tuple[Snippet, ...]:
    """Returns what people paste and is a line long; a whole policy is not."""
    return tuple(snippet for snippet in pasted(fix) if "\n" not in snippet.text)


def change_title(fix: Fix) -> str:
    """Returns what a change of the policy is, and which service accounts it concerns."""
    return f"the change of the trust policy{_concerned(fix)}"


def pasted_policy(policy: Mapping[str, Any]) -> str:
    """Returns a policy indented, in ASCII, which is JSON in every encoding that a terminal may have."""
    try:
        text = msgspec.json.encode(policy)
    except UnicodeEncodeError:
        # a lone surrogate, which msgspec does not escape
        return json.dumps(policy, indent=2)
    return msgspec.json.format(text, indent=2).decode() if text.isascii() else json.dumps(policy, indent=2)


def _policy_title(fix: Fix) -> str:
    """What the corrected policy is, and which service accounts it concerns."""
    return f"the corrected trust policy{_concerned(fix)}{_managed(fix)}"


def managing(fix: Fix | None) -> str:
    """Returns the sentence that a tool undoes what the commands of a fix change, "" where none is known to."""
    if fix is None or not fix.managed_by or not fix.commands:
        return ""
    return f"It is managed by {fix.managed_by}, which undoes what the commands change: make the change there."


def _managed(fix: Fix) -> str:
    return f"; managed by {fix.managed_by}: make the change there" if fix.managed_by and fix.commands else ""


def _concerned(fix: Fix) -> str:
    """Whom a change of the policy concerns, in parentheses, "" where it is nobody."""
    keeps = f"{fix.keeps} service account{'s keep' if fix.keeps != 1 else ' keeps'} the role" if fix.keeps else ""
    more = f" and {len(fix.admits) - _LISTED} more" if len(fix.admits) > _LISTED else ""
    admits = f"newly admitted: {', '.join(fix.admits[:_LISTED])}{more}" if fix.admits else ""
    concerned = "; ".join(filter(None, (keeps, admits)))
    return f" ({concerned})" if concerned else ""

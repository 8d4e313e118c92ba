"""Who can assume a role, for people."""

from typing import Any

from irsa_doctor.reports.escape import for_terminal


def render_who_can(answer: dict[str, Any]) -> str:
    """A few lines a grant."""
    lines = [for_terminal(answer["role"])]
    for grant in answer["grants"]:
        subjects = grant["subjects"]
        lines.append(f"  tokens of {for_terminal(grant['issuer'])}: {subjects['scope']}")
        lines += [f"    {for_terminal(pattern)}" for pattern in subjects["patterns"]]
        lines += [f"    but not {for_terminal(pattern)}" for pattern in subjects["except"]]
        if subjects["witness"] and subjects["witness"] not in subjects["patterns"]:
            lines.append(f"    for example {for_terminal(subjects['witness'])}")
        audiences = "any" if grant["audiences"]["any"] else ", ".join(grant["audiences"]["values"])
        lines.append(f"    audience {for_terminal(audiences)}")
        there = grant["service_accounts"]
        lines.append(f"    {len(there)} service accounts of the inventory" + (": " + ", ".join(there[:10]) if there else ""))
        if grant["depends_on"]:
            lines.append(f"    only where the conditions on {for_terminal(', '.join(grant['depends_on']))} hold")
    if not answer["grants"]:
        lines.append("  nobody by web identity")
    lines += [f"  also {other['type']} {for_terminal(other['value'])}" for other in answer["others"]]
    return "\n".join(lines) + "\n"

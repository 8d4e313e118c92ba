"""Reads a policy that stands alone: a trust policy where a statement says who may do something."""

from collections.abc import Mapping

from irsa_doctor.model import ResourceControlPolicy, Role
from irsa_doctor.model.regex import regex
from irsa_doctor.sources.documents.aws import account_of
from irsa_doctor.sources.documents.policies import bare_policy, policy_of_value
from irsa_doctor.sources.documents.reading import DocumentReading, Page
from irsa_doctor.text import shapes
from irsa_doctor.text.errors import WrongShape

_Members = Mapping[str, object]
_OF_SERVICE = regex(r"(?!sts:)[a-z0-9-]+:")


def _statements(members: _Members) -> list[_Members]:
    """Statements that are objects; a single one may stand without list."""
    written = members.get("Statement")
    items = written if isinstance(written, list) else [written]
    return [item for item in items if isinstance(item, dict)]


def _actions(statement: _Members) -> list[str]:
    written = statement.get("Action", statement.get("NotAction"))
    items = written if isinstance(written, list) else [written]
    return [item.lower() for item in items if isinstance(item, str)]


def _is_trust(statement: _Members) -> bool:
    """Who may do something and not on what: a trust policy names a principal and no resource. Half-written ones count."""
    actions = _actions(statement)
    about_roles = any(action.startswith("sts:") or "assumerole" in action for action in actions)
    if about_roles:
        return "Resource" not in statement or "Principal" in statement or "NotPrincipal" in statement
    if "Resource" in statement or "NotResource" in statement:
        principal = statement.get("Principal")
        return isinstance(principal, dict) and "Federated" in principal
    return ("Principal" in statement or "NotPrincipal" in statement) and not _is_on_resource(statement, actions)


def _is_on_resource(statement: _Members, actions: list[str]) -> bool:
    """Whether a statement is of a policy on something else than a role: of a repository of images say, which needs no
    `Resource` (https://docs.aws.amazon.com/AmazonECR/latest/userguide/repository-policy-examples.html)."""
    principal = statement.get("Principal")
    is_named = bool(actions) and all(_OF_SERVICE.match(action) for action in actions)
    return is_named and not (isinstance(principal, dict) and "Federated" in principal)


def is_bare_policy(members: _Members) -> bool:
    """Whether a document may be a policy."""
    return "Statement" in members and "Type" not in members


def is_resource_control_policy(members: _Members) -> bool:
    """Whether a document is the text of a resource control policy: it denies something on resources to everybody, and nothing
    else (https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps_syntax.html)."""
    return is_bare_policy(members) and bool(_statements(members)) and all(map(_denies_everybody, _statements(members)))


def _denies_everybody(statement: _Members) -> bool:
    on_resources = "Resource" in statement or "NotResource" in statement
    return statement.get("Effect") == "Deny" and statement.get("Principal") == "*" and on_resources


def read_resource_control_policy(page: Page, reading: DocumentReading) -> None:
    """The text of a resource control policy, as it is given to `aws organizations create-policy`."""
    document = policy_of_value(page.value, page.place, page.duplicates)
    reading.rcps.append(ResourceControlPolicy(page.place.document, document, page.place))


def read_bare_policy(page: Page, reading: DocumentReading) -> None:
    """A bare policy: a trust policy where a statement says who, else none of ours."""
    members = shapes.mapping(page.value, page.place)
    statements = _statements(members)
    if not statements and not str(members.get("Version", "")).startswith("20"):
        reading.passed.append("no policy, though it has a member `Statement`")
        return
    if not statements:
        raise WrongShape(page.place.at("Statement").pointer, "a policy without a statement")
    if not any(_is_trust(statement) for statement in statements):
        named = any("Principal" in statement or "NotPrincipal" in statement for statement in statements)
        what = "a policy on a resource other than a role" if named else "a permission policy: no statement names a principal"
        reading.passed.append(what)
        return
    arn = reading.role_arn
    name = arn.rsplit("/", 1)[-1] if arn else page.place.document
    policy = bare_policy(page.value, page.place, page.duplicates)
    reading.roles.append(Role(arn, name, account_of(arn), policy, page.place))

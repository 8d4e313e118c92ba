"""What `generate` makes, as texts one below the other and as JSON."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from irsa_doctor.answers.intents.dialects.written import MadeFile
from irsa_doctor.answers.intents.generation import Generation
from irsa_doctor.answers.intents.plan import IntentProblem, MadeAssociation
from irsa_doctor.model.annotations import ROLE_ARN
from irsa_doctor.reports.json import ToolRecord, json_text, tool


class GeneratedRole(msgspec.Struct, frozen=True, kw_only=True):
    """A role: `size` counts the characters of its policy that IAM counts, `limit` is its quota. `split_of` is the role (ARN) of
    the intent of which it holds a part. `address` is the name under which `who-can` finds it."""

    role: str
    account: str
    via: str
    size: int
    limit: int
    split_of: str | None
    policy: Mapping[str, Any]
    address: str


class GeneratedAnnotation(msgspec.Struct, frozen=True, kw_only=True):
    """The annotation of a service account that names its role; `audience` is the value of the one that names the audience of
    its tokens, "" where it needs none."""

    cluster: str
    namespace: str
    service_account: str
    key: str
    value: str
    audience: str


class GeneratedProvider(msgspec.Struct, frozen=True, kw_only=True):
    """An OIDC provider, with the first cluster (by name) for which it is made."""

    arn: str
    url: str
    client_ids: Sequence[str]
    cluster: str


class GenerateDocument(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of `irsa-doctor generate -f json`."""

    schema: str
    tool: ToolRecord
    roles: Sequence[GeneratedRole]
    annotations: Sequence[GeneratedAnnotation]
    providers: Sequence[GeneratedProvider]
    associations: Sequence[MadeAssociation]
    files: Sequence[MadeFile]
    problems: Sequence[IntentProblem]


def render_generation_json(generation: Generation) -> str:
    """Returns the document."""
    plan = generation.plan
    return json_text(
        GenerateDocument(
            schema="irsa-doctor.generate/1",
            tool=tool(),
            roles=[
                GeneratedRole(
                    role=role.role,
                    account=role.account,
                    via=role.via,
                    size=role.size,
                    limit=role.limit,
                    split_of=role.split_of,
                    policy=role.policy,
                    address=generation.addresses.get(role.role, role.role),
                )
                for role in plan.roles
            ],
            annotations=[
                GeneratedAnnotation(
                    cluster=item.cluster,
                    namespace=item.namespace,
                    service_account=item.service_account,
                    key=ROLE_ARN,
                    value=item.value,
                    audience=item.audience,
                )
                for item in plan.annotations
            ],
            providers=[
                GeneratedProvider(arn=item.arn, url=item.url, client_ids=item.client_ids, cluster=item.cluster)
                for item in plan.providers
            ],
            associations=plan.associations,
            files=generation.files,
            problems=generation.problems,
        )
    )


def render_generation_text(generation: Generation) -> str:
    """Returns every file under a comment with its path."""
    return "\n".join(f"# {file.path}\n{file.text}" for file in generation.files)

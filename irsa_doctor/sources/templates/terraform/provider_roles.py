"""Reads which roles a `provider "aws"` block, or the state in S3, makes Terraform assume one after the other.

https://registry.terraform.io/providers/hashicorp/aws/latest/docs#assuming-an-iam-role: a role by web identity first, where the
block has one, then those of its `assume_role` blocks in their order.
"""

from collections.abc import Iterator

from irsa_doctor.model import ChainedRole, is_role_arn
from irsa_doctor.sources.templates.terraform.policy_document import blocks_of, members_of
from irsa_doctor.sources.templates.terraform.resource_instance import ResourceInstance
from irsa_doctor.sources.templates.terraform.syntax import Block
from irsa_doctor.sources.templates.values import TemplateValue, known


def blocks_with_roles(block: Block) -> tuple[Block, ...]:
    """Return the provider of AWS, or the S3 backends of a `terraform` block; none of any other block."""
    if (block.kind, block.labels[:1]) == ("provider", ("aws",)):
        return (block,)
    inside = block.body.blocks if block.kind == "terraform" else ()
    return tuple(other for other in inside if (other.kind, other.labels[:1]) == ("backend", ("s3",)))


def read_provider_roles(block: ResourceInstance) -> None:
    """Add the chain of roles of a block to its reading; none where the role that begins it is not in the block: whoever runs
    Terraform has that."""
    members = members_of(block.config)
    by_token = next(iter(blocks_of(members.get("assume_role_with_web_identity"))), None)
    steps = list(blocks_of(members.get("assume_role")))
    roles = list(_roles([by_token, *steps] if by_token is not None else steps))
    if len(roles) < 2 or not all(map(is_role_arn, roles)):
        return
    last = members_of(steps[-1])
    block.reading.chained_roles.append(
        ChainedRole(
            chain=tuple(roles[1:]),
            source=block.address,
            place=block.place,
            external_id=_text(last.get("external_id")) if "external_id" in last else "",
            first=roles[0],
            tagged=any("tags" in members_of(step) or "transitive_tag_keys" in members_of(step) for step in steps),
        )
    )


def _roles(steps: list[TemplateValue]) -> Iterator[str]:
    return (_text(members_of(step).get("role_arn")) or "" for step in steps)


def _text(written: TemplateValue | None) -> str | None:
    """A text without holes, None where it is not known."""
    return (known(written.value) or None) if written is not None else None

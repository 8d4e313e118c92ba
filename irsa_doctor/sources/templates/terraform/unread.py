"""Names the resources of a Terraform configuration that are not read and that have to do with roles of service accounts."""

from collections.abc import Mapping

from irsa_doctor.sources.templates.signs import has_role_sign, role_sign
from irsa_doctor.sources.templates.terraform.syntax import Block

STACKS = "its template is not read here: add the template to the input"
_ELSEWHERE: Mapping[str, str] = {
    "aws_cloudformation_stack": STACKS,
    "aws_cloudformation_stack_set": STACKS,
    "awscc_cloudformation_stack": STACKS,
    "awscc_cloudformation_stack_set": STACKS,
    "aws_serverlessapplicationrepository_cloudformation_stack": STACKS,
}


_CHANGES_ROLES = (
    "sts:assumerolewithwebidentity",
    "create iamserviceaccount",
    "create podidentityassociation",
    "create-pod-identity-association",
    "update-assume-role-policy",
)
_STORES = ("parameter", "secret", "config_map", "object", "file", "document")
"""in the names of kinds that hold a text and do nothing with it"""


class UnreadResources:
    """Says of the blocks of a run why they are not read; looks for signs in a file once."""

    def __init__(self) -> None:
        self._with_sign: dict[str, bool] = {}

    def why(self, block: Block) -> str:
        """Return why a resource of a kind without reader is not read, "" where it has nothing to do with roles."""
        kind = block.labels[0]
        if reason := _ELSEWHERE.get(kind):
            return reason
        if "policy" in kind or not self._has_sign(block):
            return ""
        sign = role_sign(block.syntax.word(block.node))
        return f"it names {sign}, and resources of this kind are not read" if sign else ""

    def may_make_roles(self, block: Block) -> bool:
        """Return whether a resource without reader may make a role or open one, such as a command that is run."""
        kind = block.labels[0]
        sign = role_sign(block.syntax.word(block.node)) if self._has_sign(block) else ""
        return sign in _CHANGES_ROLES and "policy" not in kind and not any(word in kind for word in _STORES)

    def _has_sign(self, block: Block) -> bool:
        document = block.syntax.document
        if document not in self._with_sign:
            self._with_sign[document] = has_role_sign(block.syntax.text)
        return self._with_sign[document]

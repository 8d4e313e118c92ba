"""Names the resources of a Terraform configuration that are not read and that have to do with roles of service accounts."""

from collections.abc import Mapping

from irsa_doctor.sources.templates.signs import has_role_sign, role_sign
from irsa_doctor.sources.templates.terraform.syntax import Block

_STACKS = "its template is not read here: add the template to the input"
_ELSEWHERE: Mapping[str, str] = {
    "aws_cloudformation_stack": _STACKS,
    "aws_cloudformation_stack_set": _STACKS,
    "awscc_cloudformation_stack": _STACKS,
    "awscc_cloudformation_stack_set": _STACKS,
    "aws_serverlessapplicationrepository_cloudformation_stack": _STACKS,
}


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

    def _has_sign(self, block: Block) -> bool:
        document = block.syntax.document
        if document not in self._with_sign:
            self._with_sign[document] = has_role_sign(block.syntax.text)
        return self._with_sign[document]

"""Texts that programs print for people, and how the same is had as a document.

A printout is one row of `PRINTOUTS`. They are named rather than read: they leave out what is long or nested, so that what they
do not show may be there.
"""

import re

import msgspec

from irsa_doctor.model.regex import regex
from irsa_doctor.sources.files.weight import speaks_of_roles

_HEAD = 1 << 16


class Printout(msgspec.Struct, frozen=True):
    """What one program prints: `begins` matches the beginning of such a text, `why` says what to give in its place."""

    begins: re.Pattern[bytes]
    why: str
    is_input: bool = False
    """whether one that lies in a folder is an answer saved in the wrong form; of others repositories keep examples and logs"""


def _beginning(pattern: bytes) -> re.Pattern[bytes]:
    return regex(rb"\s*+" + pattern, re.MULTILINE)


PRINTOUTS = (
    # https://docs.aws.amazon.com/cli/latest/userguide/cli-usage-output-format.html: the call in the frame of a table, and in
    # text the name of each object in capitals before its values, where tables of other programs have names of columns
    Printout(
        _beginning(rb"-{10,}+\r?\n\|[ ]++[A-Z]\w++[ ]++\|\r?$"),
        "it is a table that the AWS CLI prints for people; call it again with `--output json`",
        is_input=True,
    ),
    Printout(
        _beginning(
            rb"(?:20\d\d-\d\d-\d\d\s++)?(?:ROLE|ASSUMEROLEPOLICYDOCUMENT|STATEMENT|CLUSTER|OPENIDCONNECTPROVIDERLIST"
            rb"|CLIENTIDLIST|THUMBPRINTLIST|ASSOCIATION)\w*+\t(?![A-Z_ \t]++\r?$)"
        ),
        "it is text that the AWS CLI prints for people; call it again with `--output json`",
        is_input=True,
    ),
    Printout(
        _beginning(rb"(?:NAMESPACE[ \t]++)?NAME[ \t]++[A-Z][A-Z /()-]*+\r?$"),
        "it is a table, as kubectl and eksctl print them for people; call the program again with `-o yaml`",
    ),
    Printout(
        _beginning(
            rb"Name:[ ]{2,}+\S++\r?\n(?:Namespace:[ ]{2,}+\S++\r?\n)?"
            rb"(?:(?:Labels|Selector):[ ]{2,}+(?:<none>|[\w./-]++=)|Priority:[ ]{2,}+\d"
            rb"|CreationTimestamp:[ ]{2,}+[A-Z][a-z]{2}, )"
        ),
        "it is what `kubectl describe` prints for people; give what `kubectl get -o yaml` prints",
    ),
    Printout(
        _beginning(rb"(?:[A-Z]\w++[ ]++:[^\n]*+\n)*?AssumeRolePolicyDocument[ ]++: %7B"),
        "it is a list that PowerShell prints for people; pipe it to `ConvertTo-Json -Depth 10`",
        is_input=True,
    ),
    Printout(
        _beginning(
            rb"(?:[^\n{]*+\n){0,40}?(?:\x1b\[\d*+m)*+(?:Terraform|OpenTofu) (?:will perform the|used the selected providers to)"
        ),
        "it is a plan as it is printed for people; save it with `-out=PLAN` and give what `terraform show -json PLAN` prints",
    ),
    Printout(
        _beginning(
            rb"(?:(?:From|commit) [0-9a-f]{7,64}\b[^\n]*+\n(?:[^\n]*+\n){0,200}?)?(?:diff --git |--- \S[^\n]*+\n\+\+\+ )"
        ),
        "it is a patch; apply it, or give both versions to `irsa-doctor diff`",
    ),
)


def printout_of(text: bytes, path: str) -> Printout | None:
    """The printout that a text is, None for any other text.

    One that says nothing of roles, providers or service accounts is none: nothing of it is looked for.
    """
    head = text[:_HEAD]
    found = next((printout for printout in PRINTOUTS if printout.begins.match(head)), None)
    return found if found and speaks_of_roles(path, text) else None

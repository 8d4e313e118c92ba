"""What a trust policy means. All meaning of policies is here and nowhere else.

`read_policy` takes a document apart, `decide` answers one request, `admitted` answers all requests of one provider's tokens
at once, `spell` writes down the sets that it finds. The rules that code and tests name are these, after the pages of
https://docs.aws.amazon.com/IAM/latest/UserGuide/ named in brackets:

A1   Actions have no case, and wildcards anywhere in the name. [reference_policies_elements_action]
C6   A key that is not in the request: a plain operator is not met, a negated one is.
     [reference_policies_elements_condition_operators]
C7   ...IfExists is met where the key is not there, and else changes nothing.
C8   A multi-valued key under an operator without qualifier: not met, negated neither, with one value neither. [recorded]
C9   ForAllValues is met where the key is not there. An empty text is a value. [recorded]
C10  ForAnyValue is not met where the key is not there, with IfExists neither, and negated neither.
C11  An empty list of values: IfExists and ForAllValues are met only without the key, ForAnyValue never; what an operator
     without them does is contradictory. [access-analyzer-reference-policy-checks]
C12  Null asks whether the key is there; what is not "true" reads as "false" [recorded]. With ForAllValues it always holds, with
     ForAnyValue never.
C14  Names of operators have case.
G4   Numbers and Booleans are compared by their text. [reference_policies_grammar]
G5   Statement ids are alphanumeric and unique.
G6   Of a member given twice nobody knows which one counts: such a document is refused.
K2   Names of keys have no case. What one key in two spellings under one operator does is not documented.
K3   Some keys have one and the same value in every request of a provider's tokens. [recorded]
K4   Tokens of some issuers bring further claims as keys; those of a cluster do not. [reference_policies_iam-condition-keys]
P5   `{"AWS": "*"}` admits no caller with a token [recorded]. Whether it stops one in a Deny is not documented.
     [reference_policies_elements_principal]
P9   A principal without values has no effect, and is refused on write where it is a list.
S1   Letters are folded one by one, those above U+FFFF not. [recorded]
S2   `?` is one UTF-16 unit. [recorded]
S4   Numbers and dates that are none: a plain operator is not met, a negated one is; ARNs and addresses that are none: neither
     is met; a Boolean that is not "true" reads as "false"; binary values are compared by their text [recorded]. ARNs are
     compared component by component, wildcards stay within one.
V1   `${key}` stands for the key's value, in string and ARN operators. [reference_policies_variables]
V2   A variable without value: the policy's value matches nothing, so a negated operator is met.
V4   `${key, 'text'}` has a value where the key is not there.
V5   What a variable stands for is literal, wildcards too.
V6   Versions before 2012-10-17 have no variables. [reference_policies_elements_version]

What is recorded is so in radkawar/stackd, commit 9dc356f5: made on AWS by others in September 2026.
"""

from irsa_doctor.trust.admitted import Admitted, Grant, admitted, grant_of, share_of, speaks_of
from irsa_doctor.trust.decide import Decision, Request, decide, provider_arn_of
from irsa_doctor.trust.policy import Policy, Problem, Statement, read_policy
from irsa_doctor.trust.spelling import Spelling, spell
from irsa_doctor.trust.subjects import PREFIX as SUBJECT_PREFIX
from irsa_doctor.trust.subjects import is_subject

__all__ = [
    "SUBJECT_PREFIX",
    "Admitted",
    "Decision",
    "Grant",
    "Policy",
    "Problem",
    "Request",
    "Spelling",
    "Statement",
    "admitted",
    "decide",
    "grant_of",
    "is_subject",
    "provider_arn_of",
    "read_policy",
    "share_of",
    "speaks_of",
    "spell",
]

"""The ARNs of resources of a CloudFormation template that can be taken for roles.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_IAM.html
"""

from irsa_doctor.model import Hole, Text, joined

_OTHERS = {"AWS::IAM::User": "user", "AWS::IAM::Group": "group", "AWS::IAM::InstanceProfile": "instance-profile"}


def other_arn(kind: str, name: str) -> str | Text | None:
    """Return the ARN of what is no role, None for anything else: whatever its name and account are, its kind is known.

    `Ref` gives the ARN of a managed policy, and the name of all others.
    """
    word = "policy" if kind == "AWS::IAM::ManagedPolicy" else _OTHERS.get(kind)
    if word is None:
        return None
    return joined(("arn:", Hole("${AWS::Partition}"), ":iam::", Hole("${AWS::AccountId}"), f":{word}/", Hole(f"${{{name}}}")))

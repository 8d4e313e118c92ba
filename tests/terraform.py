"""Writes the roles of a generated estate as Terraform: a configuration of many files, and a plan of a given size."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.estate import cases

Json = dict[str, Any]
A_FOLDER = 10
"""Files of one module"""

_FILE = """\
variable "stage_{name}" {{
  type    = string
  default = "prod"
}}

locals {{
  tags_{name} = {{
    app   = "{name}"
    stage = var.stage_{name}
  }}
}}

resource "aws_security_group" "{name}" {{
  name = "{name}"

  ingress {{
    from_port = 443
    to_port   = 443
    protocol  = "tcp"
  }}

  tags = local.tags_{name}
}}

{role}
resource "aws_iam_role_policy_attachment" "{name}" {{
  role       = aws_iam_role.{name}.name
  policy_arn = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"
}}
"""


def _encoded(value: object, indent: int) -> str:
    """A JSON value as people write it in HCL."""
    space = "  " * (indent + 1)
    if isinstance(value, dict):
        lines = [f"{space}{json.dumps(name)} = {_encoded(item, indent + 1)}" for name, item in value.items()]
        return "{\n" + "\n".join(lines) + "\n" + "  " * indent + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_encoded(item, indent) for item in value) + "]"
    return json.dumps(value)


def _role(name: str, number: int, policy: Json) -> str:
    """The role with its policy in `jsonencode`, a heredoc or a data source, by turns."""
    head = f'resource "aws_iam_role" "{name}" {{\n  name = "{name}"\n'
    if number % 3 == 0:
        return f"{head}  assume_role_policy = jsonencode({_encoded(policy, 1)})\n}}\n"
    if number % 3 == 1:
        return f"{head}  assume_role_policy = <<-EOT\n{json.dumps(policy, indent=2)}\n  EOT\n}}\n"
    (statement,) = policy["Statement"]
    blocks = [
        f'    condition {{\n      test = "{operator}"\n      variable = "{key}"\n'
        f"      values = {_encoded(_listed(value), 0)}\n    }}\n"
        for operator, keys in statement.get("Condition", {}).items()
        for key, value in keys.items()
    ]
    kind, identifiers = next(iter(_principal(statement).items()))
    principals = f'    principals {{\n      type = "{kind}"\n      identifiers = {_encoded(_listed(identifiers), 0)}\n    }}\n'
    actions = _encoded(_listed(statement["Action"]), 0)
    inside = f"  statement {{\n    actions = {actions}\n{principals}{''.join(blocks)}  }}\n"
    data = f'data "aws_iam_policy_document" "{name}" {{\n{inside}}}\n\n'
    return f"{data}{head}  assume_role_policy = data.aws_iam_policy_document.{name}.json\n}}\n"


def _principal(statement: Json) -> Json:
    found = statement.get("Principal")
    return found if isinstance(found, dict) and found else {"AWS": "*"}


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def write_configuration(folder: Path, files: int, seed: int = 7) -> None:
    """As many files, each with one role and some things that have nothing to do with it, in modules of ten files."""
    for number, (case, _, trust) in enumerate(cases(files, seed)):
        name = case.name.replace("-", "_")
        path = folder / f"module-{number // A_FOLDER:04d}" / f"{name}.tf"
        path.parent.mkdir(parents=True, exist_ok=True)
        policy = {"Version": "2012-10-17", "Statement": [trust]}
        path.write_text(_FILE.format(name=name, role=_role(name, number, policy)), encoding="utf-8")


def write_plan(path: Path, size: int, seed: int = 7) -> int:
    """A plan of about so many bytes; how many roles are in it."""
    resources: list[Json] = []
    changes: list[Json] = []
    written = 0
    for case, _, trust in cases(size // 2_000 + 10, seed):
        for address, kind, values in _resources(case.name.replace("-", "_"), trust):
            base = {"address": address, "mode": "managed", "type": kind, "name": address.partition(".")[2]}
            provider = {**base, "provider_name": "registry.terraform.io/hashicorp/aws"}
            resources.append({**provider, "schema_version": 0, "values": values})
            after = {"actions": ["create"], "before": None, "after": values, "after_unknown": {"arn": True, "id": True}}
            changes.append({**provider, "change": after})
            written += 2 * len(json.dumps(values)) + 600
        if written > size:
            break
    document = {
        "format_version": "1.2",
        "terraform_version": "1.9.8",
        "planned_values": {"root_module": {"resources": resources}},
        "resource_changes": changes,
        "configuration": {"root_module": {"resources": []}},
    }
    path.write_text(json.dumps(document), encoding="utf-8")
    return len(resources) // 2


def _resources(name: str, trust: Json) -> Iterable[tuple[str, str, Json]]:
    policy = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    yield (
        f"aws_iam_role.{name}",
        "aws_iam_role",
        {"name": name, "path": "/", "assume_role_policy": policy, "tags": {"app": name}},
    )
    rules = [{"from_port": port, "to_port": port, "protocol": "tcp", "cidr_blocks": ["10.0.0.0/8"]} for port in (80, 443, 8443)]
    yield f"aws_security_group.{name}", "aws_security_group", {"name": name, "ingress": rules, "tags": {"app": name}}

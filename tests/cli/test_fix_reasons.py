"""`irsa-doctor fix`: what it says of an edit that it does not make is true, and is said once."""

import json
from pathlib import Path

from tests.cli.test_fix import ACCOUNT, CLUSTER, ROLE, equals, fix, policy

WHOLE = ("--complete", "serviceaccounts", "--role", f"{ROLE}=trust.json")


def estate(folder: Path, sub: str, operator: str = "StringEquals", account: str = ACCOUNT) -> None:
    (folder / "trust.json").write_text(json.dumps(policy(equals(sub=sub, operator=operator))), encoding="utf-8")
    (folder / "cluster.json").write_text(json.dumps(CLUSTER), encoding="utf-8")
    (folder / "sa.yaml").write_text(account, encoding="utf-8")


def test_an_edit_that_harms_nobody_says_what_is_left_to_decide(tmp_path: Path) -> None:
    estate(tmp_path, "system:serviceaccount:shopp:cart")
    (offered,) = fix(tmp_path, *WHOLE)[1]["fixes"]
    assert (offered["rule"], offered["safety"], offered["proof"]["kind"]) == ("sa-namespace-mismatch", "unsafe", "intended")
    assert offered["because"].endswith("; whether it is what was meant is for a person to say")


def test_of_subjects_that_are_named_the_reason_is_not_that_nobody_names_the_role(tmp_path: Path) -> None:
    estate(tmp_path, "system:serviceaccount:shopp:cart")
    (row,) = [each for each in fix(tmp_path, *WHOLE)[1]["unfixed"] if each["rule"] == "open-ns-creatable"]
    assert (row["reason"], row["how"].split()[0]) == ("no-remedy", "Remove")


def test_what_is_listed_whole_is_not_asked_for(tmp_path: Path) -> None:
    estate(tmp_path, "system:serviceaccount:*:cart", "StringLike", ACCOUNT.replace("role-arn", "none"))
    for options, is_asked_for in ((WHOLE, False), (WHOLE[2:], True)):
        (row,) = [each for each in fix(tmp_path, *options)[1]["unfixed"] if each["rule"] == "open-sub-star"]
        assert (row["reason"], "kubectl get" in row["how"]) == ("nobody-named", is_asked_for)


def test_the_construct_of_the_cdk_is_that_of_the_role(tmp_path: Path) -> None:
    roles = {
        name: {
            "Type": "AWS::IAM::Role",
            "Properties": {"RoleName": name, "AssumeRolePolicyDocument": policy(equals(aud="sts", prefix=prefix))},
            "Metadata": {"aws:cdk:path": f"Shop/{name}/Resource"},
        }
        for name, prefix in (("Cart", ""), ("Pay", "https://"))
    }
    (tmp_path / "Shop.template.json").write_text(json.dumps({"Resources": roles}), encoding="utf-8")
    rows = [each for each in fix(tmp_path)[1]["unfixed"] if each["reason"] == "generated"]
    named = {name: [row["because"] for row in rows if f" {name}#" in row["subject"]["id"]] for name in roles}
    assert all(named.values())
    assert all(f"Shop/{name}/Resource" in because for name, listed in named.items() for because in listed)


def test_what_an_instance_fills_in_is_not_written_into_its_graph(tmp_path: Path) -> None:
    (tmp_path / "graph.yaml").write_text(GRAPH.format(policy=json.dumps(policy(equals(sub=FILLED)))), encoding="utf-8")
    instance = "apiVersion: kro.run/v1alpha1\nkind: PodRole\nmetadata: {name: cart}\nspec: {namespace: shopp}\n"
    (tmp_path / "instance.yaml").write_text(instance, encoding="utf-8")
    (tmp_path / "cluster.json").write_text(json.dumps(CLUSTER), encoding="utf-8")
    (tmp_path / "sa.yaml").write_text(ACCOUNT, encoding="utf-8")
    answer = fix(tmp_path, *WHOLE[:2])[1]
    (row,) = [each for each in answer["unfixed"] if each["rule"] == "sa-namespace-mismatch"]
    assert (row["reason"], row["because"]) == ("shared-text", "each instance of the graph fills ${schema.spec.namespace}")
    assert not answer["fixes"]


FILLED = "system:serviceaccount:${schema.spec.namespace}:cart"
GRAPH = """apiVersion: kro.run/v1alpha1
kind: ResourceGraphDefinition
metadata: {{name: podrole}}
spec:
  schema: {{apiVersion: v1alpha1, kind: PodRole, spec: {{namespace: string}}}}
  resources:
  - id: role
    template:
      apiVersion: iam.services.k8s.aws/v1alpha1
      kind: Role
      metadata: {{name: "${{schema.metadata.name}}"}}
      spec:
        name: ${{schema.metadata.name}}
        assumeRolePolicyDocument: |
          {policy}
"""

"""Annotations in values of charts are edited where they are written, and nothing else of the file is."""

import pytest

from irsa_doctor import api
from tests.cli.running import put
from tests.facts.situations import KEY, aws
from tests.sources.worlds import role_arn

ACCOUNT = """# the account
serviceAccount:
  create: true # by the chart
  name: app
  annotations:
    {key}: {value} # who it is
other: [a,   b]"""
FLUX = """apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: app, namespace: prod}
spec:
  chart: {spec: {chart: app}}
  values:
"""
ARGO = """apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: app, namespace: argocd}
spec:
  destination: {namespace: prod}
  source:
    chart: app
    helm:
"""
K3S = """apiVersion: helm.cattle.io/v1
kind: HelmChart
metadata: {name: app, namespace: kube-system}
spec:
  targetNamespace: prod
"""
HELMFILE = """releases:
- name: app
  namespace: prod
  chart: charts/app
  values:
  - {shared: true}
  -
"""
FORMS = {
    "flux": (FLUX, 4),
    "argo-object": (f"{ARGO}      valuesObject:\n", 8),
    "argo-text": (f"{ARGO}      values: |\n", 8),
    "argo-text-without-end": (f"{ARGO}      values: |-\n", 8),
    "argo-deep-text": (f"{ARGO}      values: |4\n", 10),
    "k3s": (f"{K3S}  valuesContent: |-\n", 4),
    "helmfile": (HELMFILE, 4),
    "values": ("", 0),
}
SLIPS = {
    "key": ("eks.amazonaws.com/role_arn", role_arn()),
    "spaces": (KEY, f'"{role_arn()} "'),
    "colon": (KEY, role_arn().replace("::", ":::")),
    "single": (KEY, f"'{role_arn()} '"),
}


def written(form, key, value, newline="\n"):
    head, indent = FORMS[form]
    lines = [f"{' ' * indent}{line}" for line in ACCOUNT.format(key=key, value=value).splitlines()]
    return (head + "\n".join(lines) + "\n").replace("\n", newline).encode()


def edited(folder, form, content):
    """The file after the safe edits, and the answer."""
    for name, document in aws().items():
        put(folder / name, document)
    name = "helmfile.yaml" if form == "helmfile" else "values.yaml" if form == "values" else "release.yaml"
    path = put(folder / name, content)
    answer = api.fix([str(folder)])
    return answer.fixing.after.get(str(path), content), answer


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_in_the_annotation_is_edited_in_its_line(tmp_path, form, slip, newline):
    key, value = SLIPS[slip]
    quote = value[0] if value[0] in "\"'" else ""
    after, answer = edited(tmp_path, form, written(form, key, value, newline))
    assert after == written(form, KEY, f"{quote}{role_arn()}{quote}", newline)
    assert not [finding for finding in answer.after.findings if finding.subject.kind == "service-account"]


LAYERED = {
    "flux": ("  values:\n", "  valuesFrom: [{kind: ConfigMap, name: shared}]\n  values:\n"),
    "argo-object": ("    helm:\n", "    helm:\n      valueFiles: [shared.yaml]\n"),
    "argo-text": ("    helm:\n", "    helm:\n      valueFiles: [shared.yaml]\n"),
    "k3s": ("  valuesContent", "  valuesSecrets: [{name: shared, keys: [values.yaml]}]\n  valuesContent"),
    "helmfile": ("  - {shared: true}\n", "  - shared.yaml\n"),
}


@pytest.mark.parametrize("form", LAYERED)
@pytest.mark.parametrize("slip", SLIPS)
def test_beside_values_that_are_not_read_a_key_is_left_and_a_value_is_not(tmp_path, form, slip):
    key, value = SLIPS[slip]
    quote = value[0] if value[0] in "\"'" else ""
    without, within = (text.encode() for text in LAYERED[form])
    content, right = (
        written(form, *pair).replace(without, within, 1) for pair in ((key, value), (KEY, quote + role_arn() + quote))
    )
    assert within in content
    after, answer = edited(tmp_path, form, content)
    assert after == (content if slip == "key" else right)
    if slip == "key":
        assert "other values of the release" in " ".join(each.because for each in answer.fixing.fixes)


@pytest.mark.parametrize("text", [">\n", '"', "'"])
def test_values_in_a_text_whose_lines_are_not_those_of_the_file_are_not_edited(tmp_path, text):
    inner = f"serviceAccount:\n\n  name: app\n\n  annotations:\n\n    eks.amazonaws.com/role_arn: {role_arn()}\n\n"
    if text == ">\n":
        value = ">\n" + "".join(f"        {line}\n" if line else "\n" for line in inner.splitlines())
    else:
        value = text + inner.replace("\n\n", "\\n" if text == '"' else "\n\n\n        ").rstrip() + text + "\n"
    content = f"{ARGO}      values: {value}".encode()
    after, answer = edited(tmp_path, "argo-text", content)
    assert after == content
    assert {unfixed.reason for unfixed in answer.fixing.unfixed} <= {"not-in-source"}


LAST = """serviceAccount:
  name: app
  annotations:
    {key}: {value}"""


@pytest.mark.parametrize("head", ["|", "|-", "|+", "|4-", "&v\n        |", "!!str &v |-  # all"])
@pytest.mark.parametrize("above", ["", "\n", "# a\u2028          # b\n", "x: \u00e9\u20ac\n"])
@pytest.mark.parametrize("end", ["", "\n"])
@pytest.mark.parametrize("slip", SLIPS)
def test_the_last_line_of_a_block_is_edited_however_the_block_begins(tmp_path, head, above, end, slip):
    key, value = SLIPS[slip]
    quote = value[0] if value[0] in "\"'" else ""

    def content(key, value):
        lines = (above + LAST).format(key=key, value=value).split("\n")
        return (f"{ARGO}      values: {head}\n" + "\n".join(f"          {line}" for line in lines) + end).encode()

    after, _ = edited(tmp_path, "argo-text", content(key, value))
    assert after == content(KEY, f"{quote}{role_arn()}{quote}")


def test_a_key_that_is_a_step_of_a_path_is_not_said_to_be_right(tmp_path):
    path = f"serviceAccount.annotations.eks\\.amazonaws\\.com/role_arn: {role_arn()}"
    content = f"{K3S}  set:\n    serviceAccount.name: app\n    {path}\n".encode()
    after, answer = edited(tmp_path, "k3s", content)
    assert after == content
    assert [unfixed.because for unfixed in answer.fixing.unfixed] == ["the document does not have this value as it is read"]

"""Releases of charts that patches of kustomize or Flux change are not as their file has them."""

import pytest

from irsa_doctor.sources import load

KEY = "eks.amazonaws.com/role-arn"
RELEASE = f"""apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {{name: api, namespace: base}}
spec:
  values: {{serviceAccount: {{name: api, annotations: {{{KEY}: "arn:aws:iam::111122223333:role/api"}}}}}}
"""
OF_FLUX = """apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: api}
spec: {path: ./base, PATCHES}
"""


@pytest.mark.parametrize(
    ("patches", "of_flux", "certain"),
    [
        ("", "", True),
        ("patches: [{target: {kind: HelmRelease}, patch: '[{op: add, path: /spec/targetNamespace, value: live}]'}]", "", False),
        ("patches: [{path: change.yaml}]", "", False),
        ("patches: [{target: {kind: Deployment}, patch: '[]'}]", "", True),
        ("", "patches: [{target: {kind: HelmRelease}, patch: '[]'}]", False),
        ("", "postBuild: {}", True),
    ],
)
def test_a_release_that_patches_change_is_not_certain(tmp_path, patches, of_flux, certain):
    files = {
        "base/release.yaml": RELEASE,
        "base/kustomization.yaml": "resources: [release.yaml]\n",
        "live/kustomization.yaml": f"resources: [../base]\n{patches}\n",
        "live/change.yaml": RELEASE.partition("  values")[0] + "  targetNamespace: live\n",
        "flux.yaml": OF_FLUX.replace("PATCHES", of_flux or "prune: true"),
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    given = load([str(tmp_path)]).inventory
    assert [account.subject for account in given.service_accounts] == ["system:serviceaccount:base:api"] * certain
    assert len(given.account_templates) == (not certain)
    (row,) = [row for row in given.documents if row.path.endswith("release.yaml")]
    assert certain or "changed by patches of" in row.why

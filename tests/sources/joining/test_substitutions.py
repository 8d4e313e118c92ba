"""Variables of manifests: Flux fills them, envsubst may, and in a cluster nothing does."""

import pytest
import yaml

from irsa_doctor import api
from irsa_doctor.model import text_of
from tests.sources.worlds import inventory

ROLE_ARN = "eks.amazonaws.com/role-arn"
FILLED = "arn:aws:iam::111122223333:role/web"


def account(value, **metadata):
    named = {"name": "web", "namespace": "app", "annotations": {ROLE_ARN: value}, **metadata}
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": named}


def flux(**after):
    return {
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
        "kind": "Kustomization",
        "metadata": {"name": "apps", "namespace": "flux-system"},
        "spec": {"path": "./apps", "prune": True, **({"postBuild": after} if after else {})},
    }


FROM = [{"kind": "ConfigMap", "name": "vars"}]


def files(*objects):
    return {f"{number}.yaml": yaml.safe_dump(item) for number, item in enumerate(objects)}


def annotation(*objects):
    return text_of(inventory(files(*objects)).service_accounts[0].annotations[ROLE_ARN])


@pytest.mark.parametrize(
    "value",
    [
        "arn:aws:iam::${ACCOUNT_ID}:role/web",
        "arn:aws:iam::${ACCOUNT_ID:=999999999999}:role/web",
        "arn:aws:iam::${ACCOUNT_ID:-999999999999}:role/web",
    ],
)
def test_a_value_that_flux_substitutes_is_put_in(value):
    assert annotation(account(value), flux(substitute={"ACCOUNT_ID": "111122223333"})) == FILLED


@pytest.mark.parametrize(
    "fluxes",
    [
        [flux(substituteFrom=FROM)],
        [flux(substitute={"ACCOUNT_ID": "1" * 12}), flux(substitute={"ACCOUNT_ID": "2" * 12})],
        [flux(substitute={"OTHER": "x"}, substituteFrom=FROM)],
    ],
)
def test_a_value_that_flux_has_elsewhere_or_twice_is_a_hole(fluxes, tmp_path):
    world = [account("arn:aws:iam::${ACCOUNT_ID}:role/web"), *fluxes]
    assert annotation(*world) == "arn:aws:iam::${ACCOUNT_ID}:role/web"
    assert severity(tmp_path, *world) is None


def severity(folder, *objects):
    for name, text in files(*objects).items():
        (folder / name).write_text(text)
    report = api.check([str(folder)])
    return {finding.rule: finding.severity for finding in report.findings}.get("role-arn-unresolved-template")


@pytest.mark.parametrize(
    ("value", "metadata", "fluxes", "expected"),
    [
        ("arn:aws:iam::${ACCOUNT_ID}:role/web", {}, [], "medium"),
        ("${ROLE_ARN}", {}, [], "medium"),
        ("arn:aws:iam::${ACCOUNT_ID}:role/web", {}, [flux()], "medium"),
        ("arn:aws:iam::${ACCOUNT_ID}:role/web", {}, [flux(substitute={"OTHER": "x"})], "medium"),
        ("arn:aws:iam::${ACCOUNT_ID}:role/web", {"creationTimestamp": "2026-01-01T00:00:00Z"}, [], "high"),
        (
            "arn:aws:iam::${ACCOUNT_ID}:role/web",
            {"creationTimestamp": "2026-01-01T00:00:00Z"},
            [flux(substituteFrom=FROM)],
            "high",
        ),
        ("arn:aws:iam::<ACCOUNT_ID>:role/web", {}, [flux(substituteFrom=FROM)], "high"),
        ("arn:aws:iam::${ACCOUNT_ID}:role/<ROLE>", {}, [], "high"),
        ("{{ .Values.role }}", {}, [], "high"),
    ],
)
def test_how_bad_a_placeholder_is_depends_on_who_may_still_fill_it(value, metadata, fluxes, expected, tmp_path):
    assert severity(tmp_path, account(value, **metadata), *fluxes) == expected

"""The data files of issuers: each is complete, and the shipped index is what they say."""

import json
from pathlib import Path

import pytest

from irsa_doctor import issuers
from irsa_doctor.model import Issuer
from irsa_doctor.rulebook.rules import RuleError
from tools.issuers import read_profiles

FOLDER = Path(issuers.__file__).parent


def test_the_shipped_index_holds_what_the_files_say():
    assert json.loads((FOLDER / "index.json").read_bytes()) == read_profiles(FOLDER)


def test_the_name_of_a_file_is_the_id_of_its_issuer():
    assert sorted(path.stem for path in FOLDER.glob("*.yaml")) == sorted([*issuers.profiles(), "guards"])


@pytest.mark.parametrize("ident", ["eks", "kubernetes"])
def test_clusters_mint_subjects_of_service_accounts_and_no_claim_but_sub_and_aud_becomes_a_key(ident):
    profile = issuers.profile(ident)
    assert profile.grammar == "service-account"
    assert profile.has_key("sub")
    assert not profile.has_key("amr")


def test_subjects_and_keys_of_an_issuer_that_is_not_known_may_be_anything():
    assert issuers.OTHER.grammar == "text"
    assert issuers.OTHER.has_key("amr")


@pytest.mark.parametrize(
    ("issuer", "profile"),
    [
        ("oidc.eks.eu-west-1.amazonaws.com/id/5D2A7C1E9B8F4036A1C4E7D20B93F865", issuers.EKS),
        ("oidc.eks.cn-north-1.amazonaws.com.cn/id/5D2A7C1E9B8F4036A1C4E7D20B93F865", issuers.EKS),
        ("oidc-eks.eu-west-1.api.aws/id/5D2A7C1E9B8F4036A1C4E7D20B93F865", issuers.EKS),
        ("oidc-eks.cn-north-1.api.amazonwebservices.com.cn/id/5D2A7C1E9B8F4036A1C4E7D20B93F865", issuers.EKS),
        ("oidc-eks.eu-west-1.api.example/id/5D2A", None),
        ("oidc.eks.eu-west-1.amazonaws.com/id/A/B", None),
        ("oidc.eks.eu-west-1.amazonaws.com", None),
        ("https://oidc.eks.eu-west-1.amazonaws.com/id/A", None),
        ("tokens.example.com", None),
        ("", None),
    ],
)
def test_an_issuer_is_recognised_by_its_name_alone(issuer, profile):
    assert (Issuer.of(issuer).form != "other") is (profile is issuers.EKS) or issuer.startswith("https://")
    assert issuers.profile_of(issuer) is profile
    assert issuers.cluster_profile(issuer) is (profile or issuers.KUBERNETES)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("id: eks\n", "id: eks\ncolour: blue\n", "eks.yaml:2: unknown key colour."),
        ("id: eks\n", "id: ek\n", "eks.yaml:1: id is ek, the file name says eks"),
        ("members: tenant", "members: tenants", "eks.yaml:9: members is one of "),
        ("keys: []", "keys: [5]", "expected a mapping, found a number"),
        ("facts:", "fact:", "unknown key fact."),
        ("docs: ", "docs: [", "eks.yaml:4: not valid YAML: "),
    ],
)
def test_a_file_that_is_not_a_profile_is_refused_with_its_name_and_line(tmp_path, old, new, says):
    (tmp_path / "eks.yaml").write_text((FOLDER / "eks.yaml").read_text().replace(old, new))
    with pytest.raises(RuleError, match=r".") as caught:
        read_profiles(tmp_path)
    assert says in str(caught.value)


def profile_text(old="", new=""):
    text = (FOLDER / "circleci.yaml").read_text()
    assert old in text
    return text.replace(old, new, 1) if old else text


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("own: true}", "own: false}", "own: true goes with <tenant> in the pattern"),
        ('"oidc.circleci.com/org/<tenant>"', '"https://oidc.circleci.com/org/<tenant>"', "a pattern has no scheme"),
        ("user/{user}", "user/{person}", "no segment person"),
        (
            '{level: tenant, charset: "0-9a-f-"',
            '{level: tenant, charset: "0-9a-f/-"',
            "organization can hold '/', which ends it",
        ),
        ('charset: "A-Za-z0-9.-", sample', "sample", "host has either a charset or values"),
        ("key: oidc.circleci.com/project-id", "key: sub", "sub is a key of every issuer"),
        (
            'subject_custom: "no"\n',
            'subject_custom: "no"\ncustom: {a: {level: ref}}\n',
            "no tenant replaces the form of subjects",
        ),
        ("  url: https:", "  url: http:", "a fact names the page that says it"),
    ],
)
def test_a_file_that_contradicts_itself_is_refused_with_its_line(tmp_path, old, new, says):
    (tmp_path / "circleci.yaml").write_text(profile_text(old, new))
    with pytest.raises(RuleError, match=r"circleci\.yaml:\d+: ") as caught:
        read_profiles(tmp_path)
    assert says in str(caught.value)


@pytest.mark.parametrize("pattern", ["oidc.circleci.com/org/<tenant>", "oidc.circleci.com/org/<organization>"])
def test_two_files_that_match_an_issuer_equally_well_are_refused_with_the_line(tmp_path, pattern):
    (tmp_path / "circleci.yaml").write_text(profile_text())
    rival = profile_text("id: circleci\n", "id: rival\n").replace("oidc.circleci.com/org/<tenant>", pattern)
    (tmp_path / "rival.yaml").write_text(rival if "<tenant>" in pattern else rival.replace("own: true", "own: false", 1))
    with pytest.raises(RuleError, match=r"\.yaml:\d+: \w+\.yaml matches oidc\.circleci\.com/org/<\w+> equally well"):
        read_profiles(tmp_path)


@pytest.mark.parametrize(
    ("issuer", "ident", "right"),
    [
        ("token.actions.GitHubusercontent.com", "github", "token.actions.githubusercontent.com"),
        ("Token.Actions.githubusercontent.com/Acme/", "github", "token.actions.githubusercontent.com/Acme"),
        ("GitLab.com", "gitlab", "gitlab.com"),
        ("Keys.s3.eu-west-1.amazonaws.com/Shop", "kubernetes", "Keys.s3.eu-west-1.amazonaws.com/Shop"),
        ("Issuer.example.com", None, "Issuer.example.com"),
    ],
)
def test_the_host_of_a_vendor_has_no_capitals_in_tokens(issuer, ident, right):
    found = issuers.profile_of(issuer)
    assert (found and found.id) == ident
    assert issuers.right_name(issuer, found or issuers.OTHER) == right

import pytest

from irsa_doctor.model import Issuer

PUBLIC = [
    "oidc.eks.eu-west-1.amazonaws.com/id/5D2A",
    "https://bucket.s3.eu-west-1.amazonaws.com",
    "sts.windows.net/x/",
    "8.8.8.8",
]
PRIVATE = [
    "https://kubernetes.default.svc.cluster.local",
    "https://kubernetes.default.svc",
    "https://api.internal.k8s.example.com",
    "https://localhost:6443",
    "https://10.0.0.1:6443",
    "http://oidc.example.com",
    "https://issuer",
    "kubernetes/serviceaccount",
]


@pytest.mark.parametrize("url", PUBLIC)
def test_an_issuer_with_a_public_name_can_be_reached(url):
    assert Issuer.of(url).is_public


@pytest.mark.parametrize("url", PRIVATE)
def test_an_issuer_of_a_private_network_or_without_https_cannot(url):
    assert not Issuer.of(url).is_public

"""Whether pods reach the metadata service of nodes that Karpenter makes."""

import pytest

from irsa_doctor.answers.why import symptoms_in
from tests.answers.why import world as w
from tests.answers.why.world import POD, why, world

NOTHING = symptoms_in("Unable to locate credentials. You can configure credentials by running aws configure")


def notes(options, *breaks, **evidence):
    documents = world(*breaks)
    spec = {"role": "nodes", **({} if options is None else {"metadataOptions": options})}
    documents["class.json"] = {
        "apiVersion": "karpenter.k8s.aws/v1",
        "kind": "EC2NodeClass",
        "metadata": {"name": "general"},
        "spec": spec,
    }
    return [note for note in why(documents, POD, **evidence).notes if "hop limit" in note]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (None, "do not reach"),
        ({"httpPutResponseHopLimit": 1}, "do not reach"),
        ({"httpPutResponseHopLimit": 2}, "takes the role of the node"),
        ({"httpEndpoint": "disabled", "httpPutResponseHopLimit": 2}, "do not reach"),
    ],
)
def test_the_hop_limit_shows_what_an_sdk_falls_back_to(options, says):
    assert says in notes(options, symptoms=NOTHING, failing=True)[0]


def test_a_placeholder_and_a_pod_in_the_network_of_its_node_show_nothing():
    def on_host(documents):
        w.spec(documents)["hostNetwork"] = True

    assert notes({"httpPutResponseHopLimit": "{{ .Values.hops }}"}, symptoms=NOTHING, failing=True) == []
    assert notes(None, on_host, symptoms=NOTHING, failing=True) == []


def test_nothing_is_told_of_it_where_all_is_well():
    assert notes(None) == []


def of_launch_template(options, group=None, **version):
    documents = world()
    names = {"LaunchTemplateId": "lt-0a1b2c3d4e5f60718", "LaunchTemplateName": "workers", "VersionNumber": 3, **version}
    documents["template.json"] = {"LaunchTemplateVersions": [{**names, "LaunchTemplateData": {"MetadataOptions": options}}]}
    used = {"id": "lt-0a1b2c3d4e5f60718", "version": "3"} if group is None else group
    members = {"nodegroupName": "main", "clusterName": "prod", "nodeRole": "arn:aws:iam::111122223333:role/n"}
    documents["group.json"] = {"nodegroup": {**members, "launchTemplate": used}}
    return [note for note in why(documents, POD, symptoms=NOTHING, failing=True).notes if "hop limit" in note]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"HttpPutResponseHopLimit": 1}, "do not reach"),
        ({"HttpPutResponseHopLimit": 2, "HttpTokens": "required"}, "takes the role of the node"),
        ({"HttpEndpoint": "disabled"}, "do not reach"),
    ],
)
@pytest.mark.parametrize("group", [None, {"name": "workers", "version": "3"}])
def test_the_hop_limit_of_a_launch_template_is_that_of_its_node_group(options, says, group):
    (note,) = of_launch_template(options, group)
    assert says in note
    assert "node group main (launch template" in note
    assert "EC2NodeClass" not in note


@pytest.mark.parametrize(
    ("options", "group"),
    [
        ({}, None),
        ({"HttpTokens": "required"}, None),
        ({"HttpPutResponseHopLimit": 1}, {"id": "lt-0a1b2c3d4e5f60718", "version": "4"}),
        ({"HttpPutResponseHopLimit": 1}, {"id": "lt-other", "version": "3"}),
        ({"HttpPutResponseHopLimit": 1}, {}),
        ({"HttpPutResponseHopLimit": "{{ hops }}"}, None),
    ],
)
def test_a_limit_that_is_not_that_of_the_nodes_shows_nothing(options, group):
    assert of_launch_template(options, group) == []

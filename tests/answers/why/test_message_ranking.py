"""Which of the causes of a message comes first, and which of two messages counts."""

import json

from irsa_doctor.answers.why import symptoms_in
from tests.answers.why.world import TARGET, why, world


def in_china(documents):
    documents.pop("pod.json")
    text = json.dumps(documents).replace("arn:aws:", "arn:aws-cn:")
    documents.update(json.loads(text.replace("eu-west-1.amazonaws.com", "cn-north-1.amazonaws.com.cn")))


def test_keys_that_aws_does_not_know_are_of_another_partition_only_where_the_cluster_is():
    symptoms = symptoms_in("InvalidClientTokenId: The security token included in the request is invalid")
    here, there = (why(documents, TARGET, symptoms=symptoms, failing=True).causes for documents in (world(), world(in_china)))
    assert here[0].id == "static-keys-shadow"
    assert there[0].id == "region-missing"


def test_a_broken_line_does_not_hide_the_message_that_says_more():
    text = "Unable to load AWS credentials from any: [X: You must specify a value for\n| roleArn and roleSessionName]"
    assert symptoms_in(text)[0].id == symptoms_in(text.replace("\n| ", " "))[0].id == "no-variables-of-java"

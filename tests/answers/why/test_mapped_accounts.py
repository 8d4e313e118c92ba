from tests.answers.why.world import causes, why
from tests.facts.lookups.test_mapped_accounts import world
from tests.sources.templates.test_kops import CLUSTER


def test_no_annotation_is_missed_that_the_webhook_of_kops_does_not_need():
    diagnosis = why({**world(CLUSTER), "cluster.yaml": CLUSTER.encode()}, "storefront/cart", complete=())
    assert "sa-annotation-missing" not in dict(causes(diagnosis))
    (link,) = (link for link in diagnosis.links if link.id == "service-account")
    assert link.verdict == "unknown"
    assert "the webhook of its cluster is told" in link.because

"""`may_assume` and the naive evaluator agree on requests of services and of roles."""

from hypothesis import given
from hypothesis import strategies as st

from irsa_doctor.trust.services import RoleCall, ServiceCall, may_assume
from tests.trust import drawing, reference
from tests.trust.drawing import examples

PODS = "pods.eks.amazonaws.com"
SOURCE = "arn:aws:iam::111122223333:role/team/source"
CLUSTER = "arn:aws:eks:eu-west-1:111122223333:cluster/prod"
EXTERNAL = "eu-west-1/111122223333/prod/a/x"
VALUES = {
    "aws:RequestTag/kubernetes-namespace": ("a", "b", ""),
    "aws:RequestTag/kubernetes-service-account": ("x", "xy"),
    "aws:RequestTag/eks-cluster-arn": (CLUSTER,),
    "aws:RequestTag/team": ("red",),
    "aws:SourceAccount": ("111122223333",),
    "aws:SourceArn": (CLUSTER,),
    "sts:ExternalId": (EXTERNAL,),
    "aws:PrincipalTag/kubernetes-namespace": ("a",),
}
PATTERNS = (
    "a",
    "b",
    "*",
    "a*",
    "x",
    "111122223333",
    CLUSTER,
    CLUSTER.replace("prod", "*"),
    EXTERNAL,
    EXTERNAL + "y",
    "${aws:SourceAccount}",
)
OPERATORS = (
    *("StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIfExists", "StringNotEqualsIfExists"),
    *("StringEqualsIgnoreCase", "ArnLike", "ArnNotLike", "ArnEquals", "Null"),
    *("ForAnyValue:StringEquals", "ForAllValues:StringEquals", "ForAnyValue:StringNotLike", "ForAllValues:StringLike"),
)
TAGS = ("kubernetes-namespace", "kubernetes-service-account", "eks-cluster-arn", "team")
PRINCIPALS = (
    {"Service": PODS},
    {"Service": ["ec2.amazonaws.com", PODS]},
    {"Service": "ec2.amazonaws.com"},
    {"AWS": SOURCE},
    {"AWS": "arn:aws:iam::111122223333:root"},
    {"AWS": ["444455556666", "111122223333"]},
    {"AWS": "arn:aws:iam::111122223333:role/source"},
    {"Service": PODS, "AWS": SOURCE},
)
ACTIONS = ("sts:AssumeRole", "sts:TagSession", ["sts:AssumeRole", "sts:TagSession"], "sts:Assume*", "STS:tagsession")


def conditions():
    key = st.sampled_from([*VALUES, "aws:TagKeys"])
    listed = st.lists(st.sampled_from((*PATTERNS, *TAGS)), min_size=1, max_size=3)
    pair = st.tuples(st.sampled_from(OPERATORS), key, listed)
    return st.lists(pair, max_size=3).map(_block)


def _block(rows):
    block = {}
    for operator, key, listed in rows:
        block.setdefault(operator, {})[key] = ["true"] if operator == "Null" else listed
    return block


STATEMENTS = st.builds(
    lambda effect, principal, action, block: {"Effect": effect, "Principal": principal, "Action": action, "Condition": block},
    st.sampled_from(("Allow", "Allow", "Allow", "Deny")),
    st.sampled_from(PRINCIPALS),
    st.sampled_from(ACTIONS),
    conditions(),
)
POLICIES = st.builds(
    lambda statements: {"Version": "2012-10-17", "Statement": statements}, st.lists(STATEMENTS, min_size=1, max_size=3)
)
CONTEXTS = st.fixed_dictionaries(
    {key: st.one_of(st.just(()), st.sampled_from(values).map(lambda v: (v,))) for key, values in VALUES.items()}
)
KNOWN = {"aws:principalisawsservice", "aws:securetransport"}


def names(principal, caller):
    """Whether a principal is the caller, by the documentation of the element Principal."""
    if caller == "service":
        return PODS in reference.as_list(principal.get("Service", []))
    own = {SOURCE, "111122223333", "arn:aws:iam::111122223333:root"}
    return bool(own & set(reference.as_list(principal.get("AWS", []))))


def decided(document, action, caller, context, multi):
    call = reference.Call("", {key: list(values) for key, values in context.items() if values}, multi)
    effects = {
        s["Effect"]
        for s in document["Statement"]
        if names(s["Principal"], caller)
        and reference.action_matches(s, action)
        and reference.conditions_match(s["Condition"], "2012-10-17", call, reference.Reading())
    }
    return "Deny" not in effects and "Allow" in effects


@examples(4000)
@given(
    POLICIES,
    CONTEXTS,
    st.booleans(),
    st.sampled_from(("service", "role")),
    st.sampled_from(("sts:AssumeRole", "sts:TagSession")),
)
def test_requests_are_answered_as_by_the_reference(document, values, tags, caller, action):
    context = {key.lower(): value for key, value in values.items()} | {"aws:tagkeys": TAGS if tags else ()}
    call = ServiceCall(PODS, context) if caller == "service" else RoleCall(SOURCE, context)
    answer = may_assume(drawing.policy_of(document), action, call)
    if answer is not None:
        assert answer is decided(document, action, caller, dict(call.known), frozenset({"aws:tagkeys"}))

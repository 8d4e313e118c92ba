"""Words by which a part of a template that is not read shows that it has to do with roles of service accounts."""

_SIGNS = (
    "sts:assumerolewithwebidentity",
    "eks.amazonaws.com/role-arn",
    "pods.eks.amazonaws.com",
    "create iamserviceaccount",
    "create podidentityassociation",
    "associate-iam-oidc-provider",
    "create-pod-identity-association",
    "create-open-id-connect-provider",
    "update-assume-role-policy",
)
_IN_BYTES = tuple(sign.encode() for sign in _SIGNS)


def role_sign(text: str) -> str:
    """Return the first of these words that a text has, "" where it has none."""
    lower = text.lower()
    return next((sign for sign in _SIGNS if sign in lower), "")


def has_role_sign(text: bytes) -> bool:
    """Return whether a text has any of these words."""
    lower = text.lower()
    return any(sign in lower for sign in _IN_BYTES)

"""What exists: frozen records of what was read, and the words for what could not be."""

from irsa_doctor.model.arn import Arn, is_account_id, is_provider_of, is_role_arn, issuer_of_provider, parse_arn, provider_arn
from irsa_doctor.model.aws import (
    Cluster,
    OidcProvider,
    PodIdentityAssociation,
    ResourceControlPolicy,
    Role,
)
from irsa_doctor.model.inventory import Closed, Contradiction, Document, Gap, Inventory
from irsa_doctor.model.issuer import Issuer
from irsa_doctor.model.kubernetes import (
    ConfigMap,
    Container,
    Discovery,
    EnvSource,
    Mount,
    Namespace,
    ProjectedToken,
    ServiceAccount,
    SigningKey,
    Webhook,
    Workload,
)
from irsa_doctor.model.place import Note, Place
from irsa_doctor.model.policy import Flaw, TrustPolicy
from irsa_doctor.model.text import (
    Hole,
    Text,
    derived,
    has_hole,
    holes_in,
    issuer_in,
    joined,
    only_hole,
    text_of,
    without_scheme,
)
from irsa_doctor.model.verdict import Unknown, Verdict

__all__ = [
    "Arn",
    "Closed",
    "Cluster",
    "ConfigMap",
    "Container",
    "Contradiction",
    "Discovery",
    "Document",
    "EnvSource",
    "Flaw",
    "Gap",
    "Hole",
    "Inventory",
    "Issuer",
    "Mount",
    "Namespace",
    "Note",
    "OidcProvider",
    "Place",
    "PodIdentityAssociation",
    "ProjectedToken",
    "ResourceControlPolicy",
    "Role",
    "ServiceAccount",
    "SigningKey",
    "Text",
    "TrustPolicy",
    "Unknown",
    "Verdict",
    "Webhook",
    "Workload",
    "derived",
    "has_hole",
    "holes_in",
    "is_account_id",
    "is_provider_of",
    "is_role_arn",
    "issuer_in",
    "issuer_of_provider",
    "joined",
    "only_hole",
    "parse_arn",
    "provider_arn",
    "text_of",
    "without_scheme",
]

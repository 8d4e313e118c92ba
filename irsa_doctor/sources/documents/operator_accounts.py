"""Service accounts that operators make, with the annotations that their resources have for them."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from irsa_doctor.model import Place

_STRIMZI = "kafka.strimzi.io"
_TEMPLATE = "template.serviceAccount"

# https://cloudnative-pg.io/documentation/current/cloudnative-pg.v1/#serviceaccounttemplate; the names that Strimzi gives are in
# the classes `...Resources` of the API of https://github.com/strimzi/strimzi-kafka-operator
_ACCOUNTS: Mapping[tuple[str, str], Mapping[str, str]] = {
    ("postgresql.cnpg.io", "Cluster"): {"spec.serviceAccountTemplate": "{name}"},
    (_STRIMZI, "Kafka"): {
        f"spec.kafka.{_TEMPLATE}": "{name}-kafka",
        f"spec.zookeeper.{_TEMPLATE}": "{name}-zookeeper",
        f"spec.entityOperator.{_TEMPLATE}": "{name}-entity-operator",
        f"spec.cruiseControl.{_TEMPLATE}": "{name}-cruise-control",
        f"spec.kafkaExporter.{_TEMPLATE}": "{name}-kafka-exporter",
    },
    (_STRIMZI, "KafkaConnect"): {f"spec.{_TEMPLATE}": "{name}-connect"},
    (_STRIMZI, "KafkaMirrorMaker2"): {f"spec.{_TEMPLATE}": "{name}-mirrormaker2"},
    (_STRIMZI, "KafkaBridge"): {f"spec.{_TEMPLATE}": "{name}-bridge"},
}
"""group and kind -> where metadata of an account is, and the account's name"""


class OperatorAccount(NamedTuple):
    """A service account that an operator makes: its name, its metadata, and the place of what has these."""

    name: str
    metadata: Mapping[str, object]
    place: Place


def operator_accounts(kind: str, members: Mapping[str, object], place: Place, name: str) -> Iterator[OperatorAccount]:
    """The service accounts to which a resource of an operator gives metadata; none for any other resource."""
    group = str(members.get("apiVersion", "")).partition("/")[0]
    for way, called in _ACCOUNTS.get((group, kind), {}).items():
        value: object = members
        for step in way.split("."):
            value = value.get(step) if isinstance(value, dict) else None
        metadata = value.get("metadata") if isinstance(value, dict) else None
        if isinstance(metadata, dict):
            yield OperatorAccount(called.format(name=name), metadata, place.at(*way.split(".")))

"""Reads what CloudFormation templates apply to clusters through custom resources: manifests, and values of charts.

The CDK has `Custom::AWSCDK-EKS-KubernetesResource` and `-HelmChart`, whose properties are JSON
(https://docs.aws.amazon.com/cdk/api/v2/docs/aws-cdk-lib.aws_eks-readme.html), the public registry `AWSQS::Kubernetes::Resource`
and `::Helm` (https://github.com/aws-quickstart/quickstart-kubernetes-resource-provider).
"""

from collections.abc import Mapping

import msgspec

from irsa_doctor.model import Place, Text
from irsa_doctor.sources.documents.reading import DocumentReading
from irsa_doctor.sources.templates.cloudformation.intrinsics import Template
from irsa_doctor.sources.templates.manifests import ManifestSource, read_chart_values, read_manifests
from irsa_doctor.sources.templates.values import TemplateValue, written_json, written_yaml


def read_kubernetes_resource(template: Template, name: str, place: Place, reading: DocumentReading) -> None:
    """The service accounts of the manifests that a resource applies."""
    written = template.property(name, "Manifest")
    documents = _documents(written) if written else ()
    source = ManifestSource(name, place, reading, template.property(name, "Namespace"))
    if not documents:
        reading.notes.append(f"{name} has a manifest that is not known before it is deployed")
    read_manifests(source, documents)


def read_chart(template: Template, name: str, place: Place, reading: DocumentReading) -> None:
    """The service accounts that the values of a chart name and annotate."""
    values = next(filter(None, (template.property(name, member) for member in ("Values", "ValueYaml"))), None)
    namespace = template.property(name, "Namespace")
    for document in _documents(values) if values else ():
        read_chart_values(ManifestSource(name, place, reading), _nested(document), namespace)


def _documents(written: TemplateValue) -> tuple[TemplateValue, ...]:
    """The documents of a property: an object, a list of them, or a text of JSON or YAML; all are written where it is."""
    if isinstance(written.value, Mapping):
        return (written,)
    if isinstance(written.value, tuple):
        return written.value
    if not isinstance(written.value, str | Text):
        return ()
    decoded = written_json(written.value, written.anchor, written.document)
    if decoded is None:
        return written_yaml(written)
    return decoded.value if isinstance(decoded.value, tuple) else (decoded,)


def _nested(values: TemplateValue) -> TemplateValue:
    """Values by steps: `AWSQS::Kubernetes::Helm` has names like `serviceAccount.name` beside objects."""
    nested: dict[object, TemplateValue] = {}
    for name, item in values.value.items() if isinstance(values.value, Mapping) else ():
        first, _, rest = name.partition(".") if isinstance(name, str) else (name, "", "")
        inner = nested.get(first)
        if rest and "/" not in rest and (inner is None or isinstance(inner.value, dict)):
            members = inner.value if inner is not None and isinstance(inner.value, dict) else {}
            nested[first] = TemplateValue({**members, rest: item}, item.anchor, item.document)
        else:
            nested[name] = item
    return msgspec.structs.replace(values, value=nested)

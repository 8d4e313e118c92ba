"""The readers of templates and of other clouds, each imported when a document needs it: start-up reads none of them."""

import os
from collections.abc import Callable, Mapping, Sequence

from irsa_doctor.sources.documents.reading import DocumentReading, Page, ResourceGraph
from irsa_doctor.sources.templates.ansible_keys import MODULES, OBJECT_MODULES, TASK_LISTS

_OF_CDK = frozenset(("app", "build", "context", "output", "requireApproval", "watch"))
_OF_CDKTF = frozenset(("app", "language"))
_OF_ANSIBLE = frozenset({*MODULES, *OBJECT_MODULES, *TASK_LISTS})


def load_events(page: Page, reading: DocumentReading) -> None:
    """Read what events of CloudTrail say of roles that are made."""
    from irsa_doctor.sources.documents.creation import read_creation_events

    read_creation_events(page, reading)


def load_terraform(page: Page, reading: DocumentReading) -> None:
    """Read a plan or a state of Terraform."""
    from irsa_doctor.sources.templates.terraform.plan import read_terraform

    read_terraform(page, reading)


def load_cloudformation(page: Page, reading: DocumentReading) -> None:
    """Read a template of CloudFormation."""
    from irsa_doctor.sources.templates.cloudformation.template import read_template

    read_template(page, reading)


def is_serverless_document(members: Mapping[str, object]) -> bool:
    """A configuration of the Serverless Framework."""
    if "service" not in members or "provider" not in members:
        return False
    from irsa_doctor.sources.templates.serverless import is_serverless

    return is_serverless(members)


def load_serverless(page: Page, reading: DocumentReading) -> None:
    """Read the resources of a configuration of the Serverless Framework."""
    from irsa_doctor.sources.templates.serverless import read_serverless

    read_serverless(page, reading)


def is_ansible_document(members: Mapping[str, object]) -> bool:
    """A task, a block or a play of Ansible that makes roles or service accounts."""
    if members.keys().isdisjoint(_OF_ANSIBLE):
        return False
    from irsa_doctor.sources.templates.ansible import makes_roles

    return makes_roles(members)


def load_ansible(page: Page, reading: DocumentReading) -> None:
    """Read the roles and service accounts that tasks of Ansible make."""
    from irsa_doctor.sources.templates.ansible import read_tasks

    read_tasks(page, reading)


def load_parameter(page: Page, reading: DocumentReading) -> None:
    """Read one parameter of a template."""
    from irsa_doctor.sources.templates.cloudformation.parameters import read_parameter

    read_parameter(page, reading)


def load_template_configuration(page: Page, reading: DocumentReading) -> None:
    """Read the parameters of a template configuration file."""
    from irsa_doctor.sources.templates.cloudformation.parameters import read_configuration

    read_configuration(page, reading)


def load_eksctl(page: Page, reading: DocumentReading) -> None:
    """Read a configuration of eksctl."""
    from irsa_doctor.sources.templates.eksctl import read_cluster_config

    read_cluster_config(page, reading)


def load_kops(page: Page, reading: DocumentReading) -> None:
    """Read a cluster of kOps."""
    from irsa_doctor.sources.templates.kops import read_kops_cluster

    read_kops_cluster(page, reading)


def load_managed(page: Page, reading: DocumentReading) -> None:
    """Read a resource of Crossplane or ACK."""
    from irsa_doctor.sources.templates.controllers.managed import read_managed

    read_managed(page, reading)


def load_composed(read_any: Callable[[Page, DocumentReading], None]) -> Callable[[Page, DocumentReading], None]:
    """Return what reads objects that hold templates of objects: these get the reader of any document."""

    def read(page: Page, reading: DocumentReading) -> None:
        from irsa_doctor.sources.templates.controllers import compositions

        kind = page.value.get("kind") if isinstance(page.value, dict) else None
        if kind in ("DeploymentRuntimeConfig", "ControllerConfig"):
            compositions.read_runtime_config(page, reading)
            return
        readers = {
            "Composition": compositions.read_composition,
            "ResourceGraphDefinition": compositions.read_graph,
            "ResourceGroup": compositions.read_graph,
            "Object": compositions.read_wrapped_manifest,
        }
        if reader := readers.get(str(kind)):
            reader(page, reading, read_any)
            reading.graphs += [ResourceGraph(page, read_any)] if reader is compositions.read_graph else []
        elif isinstance(page.value, dict) and str(page.value.get("apiVersion")).startswith("kro.run/"):
            reading.instances.append(page)
            reading.passed.append(f"an instance of a graph of kro of kind {kind}, read with its graph")
        else:
            reading.passed.append(f"an object of Crossplane or kro of kind {kind}, which is not read")

    return read


def load_control_plane(page: Page, reading: DocumentReading) -> None:
    """Read a control plane of EKS that Cluster API makes."""
    from irsa_doctor.sources.templates.controllers.control_planes import read_control_plane

    read_control_plane(page, reading)


def load_kustomization(page: Page, reading: DocumentReading) -> None:
    """Read the patches of a kustomization."""
    from irsa_doctor.sources.templates.annotations import read_kustomization

    read_kustomization(page, reading)


def load_flux_kustomization(page: Page, reading: DocumentReading) -> None:
    """Read the variables that a Kustomization of Flux substitutes."""
    from irsa_doctor.sources.templates.kustomizations import read_flux_kustomization

    read_flux_kustomization(page, reading)


def load_helm_release(page: Page, reading: DocumentReading) -> None:
    """Read the values of a release of Flux or of K3s."""
    from irsa_doctor.sources.templates.releases import read_helm_release

    read_helm_release(page, reading)


def load_helmfile(page: Page, reading: DocumentReading) -> None:
    """Read what a helmfile sets for the charts of its releases."""
    from irsa_doctor.sources.templates.releases import read_helmfile

    read_helmfile(page, reading)


def load_application(page: Page, reading: DocumentReading) -> None:
    """Read the values of an application of Argo CD."""
    from irsa_doctor.sources.templates.releases import read_application

    read_application(page, reading)


def load_json_patch(page: Page, reading: DocumentReading) -> None:
    """Read an operation of a JSON patch."""
    from irsa_doctor.sources.templates.annotations import read_json_patch

    read_json_patch(page, reading)


def load_deletion(page: Page, reading: DocumentReading) -> None:
    """Read a patch that deletes an object."""
    from irsa_doctor.sources.templates.controllers.patched_roles import read_deletion

    read_deletion(page, reading)


def is_cdk_app(members: Mapping[str, object]) -> bool:
    """The settings of the CDK (`cdk.json`) or of that for Terraform (`cdktf.json`): they name a program that makes templates.

    https://docs.aws.amazon.com/cdk/v2/guide/cli.html
    """
    return isinstance(members.get("app"), str) and (members.keys() <= _OF_CDK or members.keys() >= _OF_CDKTF)


def load_cdk_app(page: Page, reading: DocumentReading) -> None:
    """Say how the templates are made that the program of an app makes, which is not run."""
    is_terraform = isinstance(page.value, dict) and "language" in page.value
    tool, folder = "cdktf" if is_terraform else "cdk", os.path.dirname(page.place.document)
    where = f" (in {folder})" if folder else ""
    reading.passed.append(f"an app of the CDK whose program is not read: {tool} synth && irsa-doctor check {tool}.out{where}")


def load_pulumi(page: Page, reading: DocumentReading) -> None:
    """Read a state, a preview or a program of Pulumi."""
    from irsa_doctor.sources.templates.pulumi import read_pulumi

    read_pulumi(page, reading)


def load_values(page: Page, reading: DocumentReading) -> bool:
    """Whether a document of no known kind annotates service accounts, as values of a chart do."""
    from irsa_doctor.sources.templates.annotations import read_values

    return read_values(page, reading)


def is_pulumi_document(members: Mapping[str, object]) -> bool:
    """A state (`pulumi stack export`), a preview (`pulumi preview --json`), or a program in YAML."""
    if members.keys().isdisjoint(("deployment", "steps", "resources", "runtime")):
        return False
    from irsa_doctor.sources.templates.pulumi import is_pulumi

    return is_pulumi(members)


def load_arm_template(page: Page, reading: DocumentReading) -> None:
    """Read a template of Azure Resource Manager."""
    from irsa_doctor.sources.templates.arm import read_arm_template

    read_arm_template(page, reading)


def load_cloud_object(page: Page, reading: DocumentReading) -> None:
    """Read an object of Azure Service Operator or of Config Connector."""
    from irsa_doctor.sources.templates.controllers.clouds import read_cloud_object

    read_cloud_object(page, reading)


def load_cloud_document(
    kind: str, read_other: Callable[[Page, DocumentReading], None]
) -> Callable[[Page, DocumentReading], None]:
    """Return what reads a document of Azure or Google Cloud of a kind; what else it lists gets the reader of any document."""

    def read(page: Page, reading: DocumentReading) -> None:
        from irsa_doctor.sources.documents.clouds.readers import CLOUD_READERS, others_in

        CLOUD_READERS[kind](page, reading)
        for other in others_in(page, kind):
            read_other(other, reading)

    return read


def note_cloud_list(items: Sequence[object], page: Page, reading: DocumentReading) -> None:
    """Note what a list of Azure or Google Cloud proves to be complete."""
    if not items or reading.cloud_records:
        from irsa_doctor.sources.documents.clouds.listings import note_list

        note_list(items, page.place, reading)

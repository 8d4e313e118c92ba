"""One call of a well-known module of the Terraform registry: its source, its version and its inputs."""

import re
from collections.abc import Mapping
from functools import cached_property

import msgspec

from irsa_doctor.sources.templates.values import TemplateValue, known
from irsa_doctor.text.positions import Anchor

ModuleInputs = Mapping[str, TemplateValue]

# https://developer.hashicorp.com/terraform/language/modules/sources: a registry address, a repository or an archive of it, with
# a subfolder; https://terragrunt.gruntwork.io/docs/reference/hcl/blocks/#terraform: `tfr://` with the version
_SOURCE = re.compile(
    r"(?:^|[/:.])(?P<owner>[\w-]+)/(?:terraform-aws-(?P<repository>[\w-]+?)(?:\.git)?|(?P<name>[\w-]+)/aws)"
    r"(?:/(?:archive|releases)/(?P<archive>[\w./-]+?))?"
    r"(?://(?:terraform-aws-[\w.-]+/)?(?:(?:\./)?modules/(?P<module>[\w-]+))?[/.]*)?(?:\?(?P<query>.*))?$"
)
_MAJOR = re.compile(r"(?<![\d.])v?(\d+)(?:\.|\s|,|$)")
_REF = re.compile(r"\b(?:ref|version)=(?:(?:refs/)?tags/)?v?(\d+)(?![\w-])")
_TAG = re.compile(r"(?:^|/)v?(\d+)\.\d+")
NEWEST = 1_000
"""The major version of a module without a version: the newest one"""


class ModuleSource(msgspec.Struct, frozen=True):
    """Whose module it is, its name, that of its submodule ("" for none), and the major version in its source, 0 for none."""

    owner: str
    name: str
    submodule: str = ""
    version: int = 0


def module_source(source: str) -> ModuleSource | None:
    """Return the module of the registry that a source names, by the registry or by its repository; None for any other."""
    match = _SOURCE.search(source)
    if match is None:
        return None
    ref = _REF.search(match["query"] or "") or _TAG.search(match["archive"] or "")
    return ModuleSource(match["owner"], match["name"] or match["repository"], match["module"] or "", int(ref[1]) if ref else 0)


def major_version(constraint: str) -> int:
    """Return the least major version of a constraint (`~> 20.8`, `>= 19.0, < 21.0`), the newest where it names none."""
    match = _MAJOR.search(constraint)
    return int(match[1]) if match else NEWEST


class ModuleCall(msgspec.Struct, frozen=True, dict=True, kw_only=True):
    """A module as it is called: `address` is that of the call, `version` the major one, `written` where it is called."""

    address: str
    inputs: ModuleInputs
    version: int = NEWEST
    written: tuple[Anchor | None, str] = (None, "")

    def text(self, *names: str) -> str:
        """An input that is text without holes, by any of its names."""
        return next((known(self.inputs[name].value) for name in names if name in self.inputs), "")

    def is_on(self, name: str, *, otherwise: bool) -> bool:
        """Whether an input is true, or not known and so perhaps true; `otherwise` is its default."""
        written = self.inputs.get(name)
        return otherwise if written is None or written.value is None else written.value not in (False, "false")

    @cached_property
    def cluster(self) -> str:
        """What the issuer of the cluster of a module is called by: its name, else the address of the call."""
        return self.text("name", "cluster_name") or self.address

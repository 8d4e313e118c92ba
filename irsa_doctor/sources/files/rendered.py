"""Recognises folders that a program renders before they are applied: charts of Helm and folders of kustomize.

By the names that these programs require (https://helm.sh/docs/topics/charts/,
https://kubectl.docs.kubernetes.io/references/kustomize/glossary/#kustomization).
"""

import os
import re

from irsa_doctor.model.regex import regex

_CHART = frozenset({"Chart.yaml", "Chart.yml"})
_OF_TERRAFORM = (".tf", ".tf.json", ".tofu", ".tofu.json")
_KUSTOMIZATION = frozenset({"kustomization.yaml", "kustomization.yml", "Kustomization"})


_IS_CHART = regex(rb"^(?:apiVersion|name)[ \t]*:", re.MULTILINE)
"""https://helm.sh/docs/topics/charts/#the-chartyaml-file"""
_OF_AWS = regex(rb"\bAssumeRolePolicyDocument\b|\bAWSTemplateFormatVersion\b")
"""what is deployed without Helm, whatever it is called"""
_TRUST = re.compile(rb"\bassumeRolePolicy")
"""a role of a controller: where Helm fills in nothing, it is applied as it is written"""


def is_rendered(path: str, content: bytes) -> bool:
    """Whether a file below `templates` or `files` of a chart is made by Helm: it has actions or, below `templates`, is a
    manifest, and nothing else deploys it as it is."""
    if path.endswith(_OF_TERRAFORM) or _OF_AWS.search(content):
        return False
    if "templates" not in path.split(os.sep):
        return b"{{" in content
    return b"{{" in content or (b"apiVersion" in content and not _TRUST.search(content))


class RenderedFolders:
    """The charts and kustomizations of a walk, which yields the files of a folder before those of the folders in it."""

    def __init__(self) -> None:
        self._charts: set[str] = set()
        self._kustomizations: set[str] = set()

    @property
    def has_charts(self) -> bool:
        """Whether there is a chart, of which nothing is read before it is rendered."""
        return bool(self._charts)

    def note(self, path: str, content: bytes) -> str:
        """Note a file; return how the folder that it describes is rendered, "" for any other file."""
        folder, name = os.path.split(path)
        if name in _CHART and _IS_CHART.search(content) and b"Statement" not in content and not _OF_AWS.search(content):
            self._charts.add(folder)
            return f"a Helm chart is read when it is rendered: helm template {folder or '.'} | irsa-doctor check -"
        if name in _KUSTOMIZATION:
            self._kustomizations.add(folder)
            return f"kustomize makes the manifests of this folder: kustomize build {folder or '.'} | irsa-doctor check -"
        return ""

    def chart_of(self, path: str) -> str:
        """The chart of which a file is a template, "" where it is not in a chart."""
        folder = os.path.dirname(path)
        while folder:
            above, name = os.path.split(folder)
            # by custom `files` has what templates take in by `.Files.Get`
            if name in ("templates", "files") and above in self._charts:
                return above
            if above == folder:
                return ""
            folder = above
        return ""

    def is_kustomized(self, path: str) -> bool:
        """Whether kustomize may give the objects of a file another name or namespace."""
        return os.path.dirname(path) in self._kustomizations

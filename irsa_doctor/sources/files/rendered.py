"""Recognises folders that a program renders before they are applied: charts of Helm and folders of kustomize.

By the names that these programs require (https://helm.sh/docs/topics/charts/,
https://kubectl.docs.kubernetes.io/references/kustomize/glossary/#kustomization).
"""

import os

_CHART = frozenset({"Chart.yaml", "Chart.yml"})
_KUSTOMIZATION = frozenset({"kustomization.yaml", "kustomization.yml", "Kustomization"})


class RenderedFolders:
    """The charts and kustomizations of a walk, which yields the files of a folder before those of the folders in it."""

    def __init__(self) -> None:
        self._charts: set[str] = set()
        self._kustomizations: set[str] = set()

    def note(self, path: str) -> str:
        """Note a file; return how the folder that it describes is rendered, "" for any other file."""
        folder, name = os.path.split(path)
        if name in _CHART:
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
            if name == "templates" and above in self._charts:
                return above
            if above == folder:
                return ""
            folder = above
        return ""

    def is_kustomized(self, path: str) -> bool:
        """Whether kustomize may give the objects of a file another name or namespace."""
        return os.path.dirname(path) in self._kustomizations

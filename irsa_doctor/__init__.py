"""What other programs import: each command of irsa-doctor as a function. Nothing is loaded before it is named.

Type checkers read `__init__.pyi`, which `make generated` writes from the list.
"""

from typing import Any

from irsa_doctor.version import __version__

__all__ = [
    "BaselineError",
    "Diagnosis",
    "IrsaDoctorError",
    "LiveError",
    "LiveOptions",
    "Loaded",
    "NoEvents",
    "NoEvidence",
    "NoRevision",
    "NoSuchRole",
    "NoTarget",
    "NotLive",
    "NothingRead",
    "Permissions",
    "Report",
    "RoleChange",
    "RuleError",
    "Settings",
    "SettingsError",
    "Simulation",
    "Snapshot",
    "Symptoms",
    "Unanswerable",
    "UnknownId",
    "UnknownRule",
    "UnknownSchema",
    "Unreadable",
    "WhoCan",
    "__version__",
    "check",
    "collect",
    "diff",
    "explain",
    "load",
    "permissions",
    "schema",
    "simulate",
    "who_can",
    "why",
    "why_all",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from irsa_doctor import api

    return getattr(api, name)

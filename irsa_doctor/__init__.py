"""What other programs import: each command of irsa-doctor as a function. Nothing is loaded before it is named."""

from typing import TYPE_CHECKING, Any

from irsa_doctor.version import __version__

if TYPE_CHECKING:
    from irsa_doctor.api import (
        BaselineError,
        Diagnosis,
        IrsaDoctorError,
        LiveError,
        Loaded,
        NoEvents,
        NoEvidence,
        NoRevision,
        NoSuchRole,
        NoTarget,
        NothingRead,
        NotLive,
        Options,
        Permissions,
        Report,
        RoleChange,
        RuleError,
        Settings,
        SettingsError,
        Simulation,
        Snapshot,
        Symptoms,
        Unanswerable,
        UnknownId,
        UnknownRule,
        UnknownSchema,
        Unreadable,
        WhoCan,
    )

    # the modules of these functions have their names, which mypy mixes up in a cycle of imports
    from irsa_doctor.api.check import check
    from irsa_doctor.api.collect import collect
    from irsa_doctor.api.diff import diff
    from irsa_doctor.api.explain import explain
    from irsa_doctor.api.load import load
    from irsa_doctor.api.permissions import permissions
    from irsa_doctor.api.schema import schema
    from irsa_doctor.api.simulate import simulate
    from irsa_doctor.api.who_can import who_can
    from irsa_doctor.api.why import why, why_all

__all__ = [
    "BaselineError",
    "Diagnosis",
    "IrsaDoctorError",
    "LiveError",
    "Loaded",
    "NoEvents",
    "NoEvidence",
    "NoRevision",
    "NoSuchRole",
    "NoTarget",
    "NotLive",
    "NothingRead",
    "Options",
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

"""What other programs import: each command of irsa-doctor as a function. Nothing is loaded before it is asked for."""

from typing import TYPE_CHECKING, Any

from irsa_doctor.version import __version__

if TYPE_CHECKING:
    from irsa_doctor.api import (
        BaselineError,
        LiveError,
        NoRevision,
        NoSuchRole,
        NothingRead,
        RuleError,
        UnknownRule,
        check,
        diff,
        who_can,
    )

__all__ = [
    "BaselineError",
    "LiveError",
    "NoRevision",
    "NoSuchRole",
    "NothingRead",
    "RuleError",
    "Symptoms",
    "UnknownRule",
    "__version__",
    "check",
    "diff",
    "who_can",
    "why",
    "why_all",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from irsa_doctor import api

    return getattr(api, name)

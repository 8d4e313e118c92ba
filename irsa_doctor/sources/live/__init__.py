"""Live sources: AWS, Kubernetes and token issuers, read over the network and never written to."""

from irsa_doctor.sources.live.events import lookup_events
from irsa_doctor.sources.live.options import LiveOptions, Plan, Target
from irsa_doctor.sources.live.plan import load_live, take
from irsa_doctor.text.errors import LiveError

__all__ = ["LiveError", "LiveOptions", "Plan", "Target", "load_live", "lookup_events", "take"]

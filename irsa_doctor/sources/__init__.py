"""Where it comes from: turns documents into inventory records; the only layer that opens files."""

from irsa_doctor.sources.documents.policies import read_policy
from irsa_doctor.sources.loading import Declared, Loaded, Loading, load
from irsa_doctor.text.lines import Span
from irsa_doctor.text.positions import Documents

__all__ = ["Declared", "Documents", "Loaded", "Loading", "Span", "load", "read_policy"]

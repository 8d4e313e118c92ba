"""Reads files, templates and live answers into one inventory; the only room that opens files and connections.

Where to add:

- a kind of JSON or YAML document: a row of `documents/kinds.py` and its reader beside it; a Kubernetes kind is a row of
  `documents/kubernetes.py`;
- a dialect of text: a row of `documents/dialects.py`;
- a template: a folder or module of `templates/`, and its row in one of these two tables; a kind of resource is a row of the
  reader of its template;
- a live call: a row of `live/operations.py`, the fields that are kept in `live/fields.py`, and the call in the module of its
  service;
- a collection of the inventory: a list in `documents/reading.py`, and its merge in `joining/`.

Each with a fixture in native format and a test in the module that mirrors it.
"""

from irsa_doctor.sources.documents.policies import read_policy_text
from irsa_doctor.sources.files.passing import Exclude
from irsa_doctor.sources.files.walk import walk_over as input_files
from irsa_doctor.sources.loading import Declared, Loaded, Loading, load
from irsa_doctor.text.lines import Span
from irsa_doctor.text.positions import Documents

__all__ = ["Declared", "Documents", "Exclude", "Loaded", "Loading", "Span", "input_files", "load", "read_policy_text"]

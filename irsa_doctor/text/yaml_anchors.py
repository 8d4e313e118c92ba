"""Node trees of texts that define an anchor twice: the later one counts from there on (https://yaml.org/spec/1.2.2/#71-alias-nodes).

PyYAML refuses what Go, in which Kubernetes and Helm are written, reads.
"""

from typing import Any

import yaml
from yaml.composer import Composer
from yaml.resolver import BaseResolver


class RepeatedAnchors(Composer, BaseResolver):
    """A composer over the events of a parser that forgets an anchor where the next one of its name begins."""

    def __init__(self, parser: Any) -> None:
        Composer.__init__(self)
        BaseResolver.__init__(self)
        self.check_event, self.get_event, self.peek_event = parser.check_event, parser.get_event, parser.peek_event

    def compose_node(self, parent: Any, index: Any) -> Any:
        """The node that begins with the next event."""
        event = self.peek_event()
        if not isinstance(event, yaml.AliasEvent):
            self.anchors.pop(event.anchor, None)
        return super().compose_node(parent, index)

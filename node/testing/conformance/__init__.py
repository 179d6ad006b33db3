"""The conformance run: whether a plugin keeps what docs/hooks.md asks of it, for a vendor's own tests.

Each stage runs in a process of its own, which may hang, crash or print for ever without harm.
"""

from node.testing.conformance.candidate import Candidate, find_candidate
from node.testing.conformance.run import check_plugin

__all__ = ["Candidate", "check_plugin", "find_candidate"]

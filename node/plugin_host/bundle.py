"""A bundle of plugins that this boot was to have and has not: no plan may be made without it."""

from __future__ import annotations

from node.model.problem import Problem
from node.system.plugin_folders import refused_bundle

REFUSED = "plugins-refused"


def bundle_problems() -> tuple[Problem, ...]:
    """Give the problem that the bundle of `node.plugins` is, if it is one.

    Whoever asked for plugins does not want a node made without them, be it for what they forbid.
    """
    why = refused_bundle()
    if not why:
        return ()
    mend = "Put the right bundle and its .sig there, or take node.plugins out"
    return (Problem(code=REFUSED, where="node.plugins", what=why, mend=mend),)

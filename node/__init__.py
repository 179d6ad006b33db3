"""Nodecrust's node side: from answers and inventory to a plan, and from a plan to a node that boots."""

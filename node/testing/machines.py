"""Recorded machines: what `nodectl inventory --json` gives, with invented names and serial numbers."""

from node.demo.machines import machine, machine_names

__all__ = ["machine", "machine_names"]

"""Tries processors, memory and the disk before a node is installed."""

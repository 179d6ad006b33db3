"""A machine that only remembers what was asked of it: what steps are tested against."""

from node.demo.fake_system import Call, FakeSystem

__all__ = ["Call", "FakeSystem"]

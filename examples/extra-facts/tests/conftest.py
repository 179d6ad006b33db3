"""The fixtures of node.testing."""

pytest_plugins = ["node.testing.pytest_plugin"]

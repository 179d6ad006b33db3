"""Plugins given as files: read and checked, put into a tree, into a built image or into a signed bundle."""

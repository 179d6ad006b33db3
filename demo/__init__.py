"""`make demo`: from nothing to a running node, in one command that shows what it does."""

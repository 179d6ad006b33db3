"""nodectl: one file a command, each with its click command in `command`; one error boundary in `main`."""

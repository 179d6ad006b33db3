"""`python -m server` is node-server."""

from server.cli.main import main

main()

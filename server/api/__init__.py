"""What nodes speak with: version 1 of the protocol (docs/registration.md)."""

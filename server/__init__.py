"""node-server: the reference management server that nodes register with."""

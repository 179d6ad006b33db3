"""node-server's commands, one file each."""

"""The plugin host: the one process in which plugins from outside are imported and called.

`finding` and `choosing` say which there are, from metadata alone. `host` is the caller's end, `zygote` the
process that starts hosts, `server` what runs in one. `values`, `sections`, `steps` and `backends` say how
what hooks get and give crosses the border: as JSON that is validated, never as objects.
"""

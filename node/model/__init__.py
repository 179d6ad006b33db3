"""Pure values: nothing here reads or changes a machine."""

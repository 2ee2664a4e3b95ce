"""The `samelight` command line."""

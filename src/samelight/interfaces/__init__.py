"""The ways people reach the core."""

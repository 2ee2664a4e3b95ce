"""Data sets as others publish them."""

"""Masks: read, mended at the edge, rid of spilled colour."""

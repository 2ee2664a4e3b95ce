"""Colour: spaces, profiles, tables and polynomials."""

"""Scoring: molecules in, raw values and desirabilities out (component -> transform -> aggregate)."""

"""Errors, configuration, registry and seeding: what every other part stands on; no chemistry, no torch."""

"""Molecules from files and from the catalog of public data sets."""

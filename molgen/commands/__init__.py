"""The commands of the command line, by subject: each parses, calls :mod:`molgen.api`, and prints."""

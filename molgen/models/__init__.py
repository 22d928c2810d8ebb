"""The generators: one protocol, one folder per family, and the trained priors that ship with the package."""

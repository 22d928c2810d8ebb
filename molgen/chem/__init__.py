"""Chemistry on top of RDKit: molecules as values, standardization, descriptors, fingerprints, alerts, rings, pictures."""

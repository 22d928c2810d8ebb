"""Chemistry on top of RDKit: molecules as values, standardization, descriptors, alerts, rings, pictures."""

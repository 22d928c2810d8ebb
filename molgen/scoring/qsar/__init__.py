"""Activity models on a user's own measurements: curation, choice, calibrated intervals, domain, and a scorer."""

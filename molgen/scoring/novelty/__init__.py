"""Whether a list of the user's knows a molecule: levels, index of the list, comparison, scorer."""

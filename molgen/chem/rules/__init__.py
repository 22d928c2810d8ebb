"""Named rules that a molecule keeps or breaks, each with its reason in words: the filter stage, below all its users."""

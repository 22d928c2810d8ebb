"""Whether a molecule can be made: from the user's own building blocks, or in the eyes of a retrosynthesis program."""

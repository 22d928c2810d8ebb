"""Search for molecules that score well: ask/tell strategies, the loop that drives them, and what it delivers."""

"""Public benchmarks as fixed tasks: the oracles of GuacaMol and PMO, their protocols, and what runs them."""

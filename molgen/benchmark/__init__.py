"""Public benchmarks as fixed tasks: the oracles of GuacaMol and PMO, their protocols, and what runs them."""

from molgen.core.verbs import callable_package

callable_package(__name__)

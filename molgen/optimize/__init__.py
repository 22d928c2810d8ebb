"""Search for molecules that score well: ask/tell strategies, the loop that drives them, and what it delivers."""

from molgen.core.verbs import callable_package

callable_package(__name__)  # mg.optimize(...) is also a verb

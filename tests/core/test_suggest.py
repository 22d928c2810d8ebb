from molgen.core.suggest import closest, did_you_mean


def test_a_typing_mistake_is_recognized():
    assert closest("mol_wieght", ["mol_weight", "tpsa"]) == "mol_weight"
    assert closest("Mol Weight", ["mol_weight", "tpsa"]) == "mol_weight"


def test_the_mistyped_beginning_of_a_long_name_is_recognized():
    assert closest("celecoxb", ["albuterol_similarity", "celecoxib_rediscovery"]) == "celecoxib_rediscovery"


def test_a_word_that_resembles_nothing_gets_the_list():
    assert closest("xyz", ["mol_weight", "tpsa"]) is None
    assert did_you_mean("xyz", ["mol_weight", "tpsa"]) == "; there are mol_weight, tpsa"

from __future__ import annotations

import pickle

import pytest
from rdkit import Chem

from molgen.chem.bloom import BloomFilter
from molgen.chem.molecule import parse_all
from molgen.chem.motifs import motifs
from molgen.chem.rules.book import PRESETS, Book, Options
from molgen.chem.rules.rule import SEVERITIES
from molgen.chem.rules.ruleset import RuleSet
from molgen.core.errors import ConfigError
from molgen.data import catalog
from molgen.data.reader import raw_rows

QUINONE = "O=C1C=CC(=O)C(c2ccccc2)=C1"
NITRO = "O=[N+]([O-])c1ccc(CC(C)C(N)=O)cc1"


def broken(rules: RuleSet, smiles: str) -> list[str]:
    return [hit.rule.id for hit in rules.judge(Chem.MolFromSmiles(smiles)).broken]


@pytest.fixture(scope="module")
def default() -> RuleSet:
    return RuleSet()


@pytest.fixture(scope="module")
def strict() -> RuleSet:
    return RuleSet(Options(preset="strict"))


def test_every_rule_has_a_unique_id_a_severity_and_a_source() -> None:
    book = Book()
    rules = [rule for name in book.names for rule in book.group(name).rules]
    assert len({rule.id for rule in rules}) == len(rules) > 1000
    assert all(rule.severity in SEVERITIES and rule.source for rule in rules)
    assert {name for groups in PRESETS.values() for name in groups} <= set(book.names)


def test_a_usual_drug_passes_the_default_and_a_faulty_molecule_hears_everything(default: RuleSet) -> None:
    assert broken(default, "CC(C)Cc1ccc(C(C)C(=O)O)cc1") == []
    verdict = default.judge(Chem.MolFromSmiles("CC(O)OC1CCCCCCCC1C1=CC(=O)C=CC1=O"))
    assert {hit.rule.group for hit in verdict.broken} == {"graph", "tier 1", "rings", "PAINS", "Glaxo"}
    assert "ring of 9 atoms" in verdict.why
    assert "loses water or alcohol" in verdict.why


def test_default_passes_seventy_percent_of_approved_drugs_and_knows_their_rings(default: RuleSet) -> None:
    """All 1,933: 74.1 %; the independent figures are in docs/filters.md."""
    if not catalog.is_fetched("chembl-drugs"):
        pytest.skip("needs: molgen data fetch chembl-drugs")
    texts = [text for _, text, _, _ in raw_rows(catalog.locate("chembl-drugs"))]
    verdicts = [default.judge(molecule.mol) for molecule in parse_all(texts[::8]).ok]
    assert sum(verdict.passes for verdict in verdicts) / len(verdicts) > 0.7
    assert not [hit for verdict in verdicts for hit in verdict.broken if hit.rule.group == "rings"]


def test_strict_holds_the_default_and_none_holds_nothing(default: RuleSet, strict: RuleSet) -> None:
    assert {rule.id for rule in default.rules} < {rule.id for rule in strict.rules}
    assert "tier 2: nitroarene" in broken(strict, NITRO)
    assert broken(default, NITRO) == []
    assert broken(RuleSet(Options(preset="none")), QUINONE) == []


def test_strict_and_lead_like_keep_to_plain_elements_unless_one_is_asked_for() -> None:
    boronic, phosphine = "OB(O)c1ccc(C(N)=O)cc1", "CP(C)c1ccc(C(N)=O)cc1"
    for preset in ("strict", "lead-like"):
        assert "plain elements: element" in broken(RuleSet(Options(preset=preset)), boronic)
        assert "plain elements: element" not in broken(
            RuleSet(Options(preset=preset, elements=("B",))), boronic
        )
    rules = RuleSet(Options(preset="strict", relax=("element",)))
    assert not [rule for rule in broken(rules, boronic) + broken(rules, phosphine) if "element" in rule]
    (hit,) = RuleSet(Options(preset="none", add=("graph",))).judge(Chem.MolFromSmiles(phosphine)).broken
    assert hit.short == hit.words == "phosphorus that is not a phosphate, phosphonate or phosphine oxide"


@pytest.mark.parametrize("name", ["nitroarene", "Nitroarene", "tier 2: nitroarene", "tier-2", "TIER_2"])
def test_a_rule_is_relaxed_by_its_name_and_this_is_said(name: str) -> None:
    rules = RuleSet(Options(preset="none", add=("tier 2",), relax=(name,)))
    verdict = rules.judge(Chem.MolFromSmiles(NITRO))
    assert verdict.passes
    assert [hit.rule.name for hit in verdict.relaxed] == ["nitroarene"]
    assert any(name in remark for remark in rules.remarks())


def test_one_alert_of_a_catalog_is_relaxed_alone() -> None:
    rules = RuleSet(Options(relax=("quinone_A(370)",)))
    assert broken(rules, QUINONE) == ["Glaxo: N1 Quinones"]


def test_relaxing_what_is_not_in_force_is_said() -> None:
    rules = RuleSet(Options(relax=("nitroarene",)))
    assert rules.idle_relaxations == ["nitroarene"]
    assert "not in force" in " ".join(rules.remarks())


def test_a_single_rule_is_added_without_its_group_or_its_namesakes() -> None:
    rules = RuleSet(Options(preset="none", add=("thiol",)))
    assert [rule.id for rule in rules.rules] == ["tier 2: thiol"]
    assert broken(rules, "CCS") == ["tier 2: thiol"]
    assert broken(rules, NITRO) == []


def test_what_is_only_shown_rejects_nothing() -> None:
    verdict = RuleSet(Options(preset="none", show=("BRENK",))).judge(Chem.MolFromSmiles(NITRO))
    assert verdict.passes
    assert "nitro_group" in {hit.rule.name for hit in verdict.shown}


def test_a_collection_that_rdkit_has_twice_counts_once() -> None:
    rules = RuleSet(Options(preset="none", add=("BRENK", "Dundee", "NIH", "BMS")))
    assert {rule.group for rule in rules.rules} == {"BRENK", "NIH"}


def test_a_fault_of_the_parent_is_inherited_if_it_is_no_worse() -> None:
    rules = RuleSet(Options(preset="strict", parents=(("P-1", NITRO),)))
    verdict = rules.judge(Chem.MolFromSmiles(NITRO.replace("C(N)=O", "C(=O)NC")))
    assert verdict.passes
    assert [(hit.rule.name, parent) for hit, parent in verdict.inherited] == [("nitroarene", "P-1")]
    two = "O=[N+]([O-])c1cc([N+](=O)[O-])cc(CC(C)C(N)=O)c1"
    assert "tier 2: nitroarene" in broken(rules, two)  # a second nitro group is none of the parent's


def test_another_rare_ring_is_not_inherited() -> None:
    rules = RuleSet(Options(preset="none", add=("rings",), parents=(("P", "C1CCCCCCCC1"),)))
    assert broken(rules, "CC1CCCCCCCC1") == []
    assert broken(rules, "CC1=CC2=CC1=CC2") == ["rings: ring system"]


def test_a_weight_beyond_the_parents_is_not_inherited() -> None:
    heavy, heavier = "C" * 30, "C" * 40
    rules = RuleSet(Options(preset="none", windows={"mol_weight": (None, 300)}, parents=(("P", heavy),)))
    assert broken(rules, heavy) == []
    assert broken(rules, heavier) == ["mol_weight: mol_weight"]


def test_lipinski_forgives_one_and_a_window_of_ones_own_does_not() -> None:
    rules = RuleSet(Options(preset="none", add=("Lipinski",)))
    assert broken(rules, "C" * 20) == []  # logP alone
    assert broken(rules, "C" * 40) == ["Lipinski: Lipinski"] * 2
    own = RuleSet(Options(preset="none", windows={"logp": (None, 4)}))
    hits = own.judge(Chem.MolFromSmiles("C" * 20)).broken
    assert "logP" in hits[0].words
    assert "above 4" in hits[0].words


def test_rare_rings_pass_where_both_filters_know_them() -> None:
    everything, nothing = BloomFilter(1, 8, b"\xff\xff"), BloomFilter(1, 8, b"\x00\x00")
    ring = "C1CCCCCCCC1"
    base = Options(preset="none", add=("rings",), ring_rescue=True)
    for known, passes in (
        ({"a": everything, "b": everything}, True),
        ({"a": everything, "b": nothing}, False),
    ):
        options = Options(**{**base.__dict__, "known_rings": known})
        assert RuleSet(options).judge(Chem.MolFromSmiles(ring)).passes is passes
    seen = RuleSet(Options(preset="none", add=("ChEMBL rings",), known_rings={"ChEMBL": nothing}))
    assert broken(seen, ring) == ["ChEMBL rings: ring system in ChEMBL"]


def test_the_matrix_has_a_row_per_molecule_and_a_column_per_rule(strict: RuleSet) -> None:
    mols = [Chem.MolFromSmiles(smiles) for smiles in (NITRO, "CC(C)Cc1ccc(C(C)C(=O)O)cc1")]
    matrix = strict.matrix(mols)
    assert matrix.shape == (2, len(strict.rules))
    assert matrix.sum(axis=1).tolist() == [1, 0]
    assert strict.rules[matrix[0].argmax()].name == "nitroarene"


def test_all_that_is_wrong_is_said_at_once_with_the_nearest_name() -> None:
    with pytest.raises(ConfigError) as caught:
        RuleSet(Options(preset="defalt", relax=("nitroaren",), add=("foo",)))
    text = str(caught.value)
    assert "'default'" in text
    assert "'nitroarene'" in text
    assert "no rule 'foo'" in text
    for options, words in (
        (Options(limits={"stereo_centres": 4}), "stereo_centers"),
        (Options(elements=("Xx",)), "no element 'Xx'"),
        (Options(windows={"log_p": (0, 1)}), "logp"),
        (Options(windows={"logp": (2, 1)}), "above the highest"),
        (Options(windows={"logp": (None, None)}), "at least one end"),
    ):
        with pytest.raises(ConfigError, match=words):
            RuleSet(options)


def test_options_travel_to_worker_processes() -> None:
    own = tuple(motif for motif in motifs() if motif.name == "thiol")
    options = pickle.loads(pickle.dumps(Options(preset="none", own=own, parents=(("P", NITRO),))))
    assert broken(RuleSet(options), "CCS") == ["own: thiol"]


@pytest.mark.parametrize(
    ("group", "passes", "fails"),
    [
        ("Egan", "CC(=O)Nc1ccc(O)cc1", "OCC(O)C(O)C(O)C(O)C(O)C(O)CO"),
        ("Pfizer 3/75", "CCCCCCCCc1ccc(S(=O)(=O)NC(=O)NCCC(=O)O)cc1", "CCCCCCCCc1ccccc1"),
        ("GSK 4/400", "CC(=O)Nc1ccc(O)cc1", "CCCCCCCCc1ccccc1"),
        ("rule of three", "OCc1ccncc1", "CCCCCc1ccncc1"),
        ("REOS", "CC(=O)Nc1ccc(OCCN2CCOCC2)cc1", "CCO"),
        ("beyond rule of five", "C" * 8 + "N", "OC" * 30),
    ],
)
def test_a_published_window_and_who_is_outside_of_it(group: str, passes: str, fails: str) -> None:
    rules = RuleSet(Options(preset="none", add=(group,)))
    assert not broken(rules, passes)
    assert broken(rules, fails)

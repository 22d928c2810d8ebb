"""Lists that good numbers praise and a chemist would throw away, and genuine ones."""

from __future__ import annotations

from pathlib import Path

from rdkit import Chem
from rdkit.Chem.EnumerateStereoisomers import EnumerateStereoisomers
from rdkit.Chem.MolStandardize import rdMolStandardize

from molgen.metrics.evaluation import Evaluation

IMATINIB = "Cc1ccc(NC(=O)c2ccc(CN3CCN(C)CC3)cc2)cc1Nc1nccc(-c2cccnc2)n1"
TEN = [
    "O=c1cccc[nH]1",
    "CC(=O)CC(C)=O",
    "c1ccc2[nH]cnc2c1",
    "Cc1cc(O)n(C)n1",
    "NC(=N)c1ccccc1",
    "OC(=O)c1ccncc1",
    "CNCCc1c[nH]c2ccccc12",
    "O=C1CC(=O)NC(=O)N1",
    "CC(N)Cc1ccccc1",
    "Oc1ccc2ccccc2n1",
]


def codes(result: Evaluation) -> set[str]:
    return {verdict.code for verdict in result.verdicts}


def methyl_scan(smiles: str) -> list[str]:
    """The molecule with one and two more methyl groups at every place that has a hydrogen."""

    def grow(text: str) -> list[str]:
        mol = Chem.MolFromSmiles(text)
        found = []
        for atom in mol.GetAtoms():
            if atom.GetTotalNumHs():
                more = Chem.RWMol(mol)
                carbon = more.AddAtom(Chem.Atom(6))
                more.AddBond(atom.GetIdx(), carbon, Chem.BondType.SINGLE)
                more.GetAtomWithIdx(atom.GetIdx()).SetNoImplicit(False)
                if atom.GetNumExplicitHs():
                    more.GetAtomWithIdx(atom.GetIdx()).SetNumExplicitHs(atom.GetNumExplicitHs() - 1)
                Chem.SanitizeMol(more)
                found.append(Chem.MolToSmiles(more))
        return found

    once = grow(smiles)
    return list(dict.fromkeys([*once, *(two for one in once for two in grow(one))]))[:200]


def salts_and_tautomers() -> list[str]:
    forms: dict[str, None] = {}
    enumerator = rdMolStandardize.TautomerEnumerator()
    for smiles in TEN:
        for mol in enumerator.Enumerate(Chem.MolFromSmiles(smiles)):
            text = Chem.MolToSmiles(mol)
            forms.update(dict.fromkeys([text, f"{text}.Cl", f"{text}.[Na+].[Cl-]", f"{text}.OC(=O)C(=O)O"]))
    return list(forms)


def tails() -> list[str]:
    """One quinazoline with 200 tails, a third of them with rings of their own."""
    ends = ["O", "N", "F", "C#N", "c1ccccc1", "C1CC1", "OC", "N1CCOCC1", "S(C)(=O)=O", "c1ccncc1"]
    found = [f"c1ccc2c(c1)ncnc2{link}{'C' * n}{end}" for link in "NO" for n in range(1, 11) for end in ends]
    return [text for text in found if Chem.MolFromSmiles(text)][:200]


def test_a_genuine_sample_gets_no_verdict(run, drawn: list[str]) -> None:  # type: ignore[no-untyped-def]
    result = run(drawn[:300])
    assert result.verdicts == []
    assert result.value("copies of training molecules") < 0.1
    assert result.funnel.raw == 300


def test_held_out_molecules_get_no_verdict(run, places) -> None:  # type: ignore[no-untyped-def]
    assert run(places[1]).verdicts == []


def test_the_training_set_returned_is_named(run, places) -> None:  # type: ignore[no-untyped-def]
    returned = places[2].read_text().split()
    result = run(returned)
    assert codes(result) == {"copies"}
    assert result.value("copies of training molecules") == 1.0
    assert "training set returned: 100%" in result.verdicts[0].words


def test_the_training_set_in_other_clothes_is_still_named(run, places) -> None:  # type: ignore[no-untyped-def]
    """Other atom order, no stereo, a counter-ion: not one string is the same."""
    clothes = []
    for text in places[2].read_text().split():
        mol = Chem.MolFromSmiles(text)
        Chem.RemoveStereochemistry(mol)
        clothes.append(Chem.MolToSmiles(mol, rootedAtAtom=mol.GetNumAtoms() - 1, canonical=False) + ".Cl")
    assert "copies" in codes(run(clothes))


def test_a_methyl_scan_of_one_drug_is_named(run) -> None:  # type: ignore[no-untyped-def]
    scan = methyl_scan(IMATINIB)
    assert len(scan) > 100
    result = run(scan)
    assert "one_molecule" in codes(result)
    assert result.value("copies of training molecules") == 0.0


def test_alkane_chains_are_named(run) -> None:  # type: ignore[no-untyped-def]
    chains = [
        f"{'C' * n}{branch}{'C' * (n + 3)}" for n in range(2, 22) for branch in ("", "C(C)", "C(CC)", "=C")
    ]
    assert "chains" in codes(run(chains))
    assert "chains" in codes(run([f"{'C' * n}O" for n in range(9, 60)]))


def test_one_scaffold_with_two_hundred_tails_is_named(run) -> None:  # type: ignore[no-untyped-def]
    assert codes(run(tails())) & {"one_scaffold", "one_core"}
    assert "one_core" in codes(
        run([text for text in tails() if text.count("1") > 2])
    )  # tails with rings only


def test_salts_and_tautomers_of_ten_molecules_are_named(run) -> None:  # type: ignore[no-untyped-def]
    forms = salts_and_tautomers()
    assert len(forms) > 80
    result = run(forms)
    assert "same_compounds" in codes(result)
    words = next(verdict.words for verdict in result.verdicts if verdict.code == "same_compounds")
    assert f"{len(forms)} different structures" in words


def test_repeats_and_broken_strings_are_named(run, drawn: list[str]) -> None:  # type: ignore[no-untyped-def]
    valid = [text for text in drawn if Chem.MolFromSmiles(text)]
    assert "repeats" in codes(run(valid[:30] * 5))
    assert "invalid" in codes(run(valid[:40] + ["C1CC"] * 60))


def test_other_spellings_of_ten_molecules_are_repeats(run, drawn: list[str]) -> None:  # type: ignore[no-untyped-def]
    ten = [mol for mol in map(Chem.MolFromSmiles, drawn[:40]) if mol is not None and mol.GetNumAtoms()][:10]
    spellings = [text for mol in ten for text in Chem.MolToRandomSmilesVect(mol, 8, randomSeed=7)]
    assert len(set(spellings)) > 60
    assert codes(run(spellings)) >= {"repeats"}


def test_stereoisomers_of_one_molecule_are_one_without_stereo(run) -> None:  # type: ignore[no-untyped-def]
    """Their marks also decide on the order of the atoms, so that stripped strings were still two."""
    forms = [
        Chem.MolToSmiles(mol)
        for mol in EnumerateStereoisomers(Chem.MolFromSmiles("CC(O)C(O)C(N)C(O)C(C)c1ccccc1"))
    ]
    found = next(v for v in run(forms).verdicts if v.code == "stereoisomers")
    assert f"{len(forms)} compounds are 1 without" in found.words


def test_isotopes_and_atom_numbers_do_not_make_new_molecules(run, places) -> None:  # type: ignore[no-untyped-def]
    returned = places[2].read_text().split()[:30]
    numbered, labeled = [], []
    for text in returned:
        mol = Chem.MolFromSmiles(text)
        mol.GetAtomWithIdx(0).SetIsotope(mol.GetAtomWithIdx(0).GetAtomicNum() * 2 + 1)
        labeled.append(Chem.MolToSmiles(mol))
        for atom in mol.GetAtoms():
            atom.SetAtomMapNum(atom.GetIdx() + 1)
        numbered.append(Chem.MolToSmiles(mol))
    assert "copies" in codes(run(labeled))
    assert "copies" in codes(run(numbered))


def test_a_file_of_blank_lines_is_mostly_invalid(run, drawn, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    valid = [text for text in drawn[:40] if Chem.MolFromSmiles(text)][:12]
    (tmp_path / "sparse.smi").write_text("\n\n\n\n\n\n\n\n\n\n".join(valid) + "\n")
    result = run(tmp_path / "sparse.smi")
    assert result.n_raw == 1 + 11 * 10
    assert "invalid" in codes(result)


def test_a_handful_of_molecules_gets_no_clean_bill(run, drawn: list[str]) -> None:  # type: ignore[no-untyped-def]
    result = run([text for text in drawn[:20] if Chem.MolFromSmiles(text)][:5])
    assert result.verdicts == []
    assert "too few to look for one" in result.no_verdict
    assert any(text.startswith("gate from 5 molecules: 1,000") for text in result.warnings)


def test_polymers_are_named_though_none_of_them_could_be_audited(run) -> None:  # type: ignore[no-untyped-def]
    """They are valid, and no verdict at all was given."""
    result = run(["C" * n + "O" for n in range(300, 1500, 100)])
    assert codes(result) == {"unusable"}
    assert "Only 0 of 12 valid strings are molecules to work with" in result.verdicts[0].words
    assert result.funnel.delivered == 0
    assert sum(step.lost for step in result.funnel.steps) == 12


def test_impossible_graphs_are_named(run) -> None:  # type: ignore[no-untyped-def]
    weird = [f"C1=C{'C' * n}N2OSN1C2={'C' * k}" for n in range(1, 8) for k in range(1, 8)]
    assert "unreal" in codes(run(weird))

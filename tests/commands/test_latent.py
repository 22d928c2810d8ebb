"""encode, decode, neighbors, interpolate, scaffolds: on the command line and in Python, with an untrained model."""

import csv
import io

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import Crippen

import molgen as mg
from molgen import cli
from molgen.core.errors import DataError, ModelError
from molgen.models.graph_vae import GraphVaeParams
from molgen.models.graph_vae.model import GraphVae
from molgen.models.registry import save
from molgen.models.sampling import draw_molecules
from molgen.workflows.sample import without

SMILES = [
    "Cc1ccc(NC(=O)c2ccc(CN3CCN(C)CC3)cc2)cc1Nc1nccc(-c2cccnc2)n1",
    "CC(=O)Oc1ccccc1C(=O)O",
    "NS(=O)(=O)c1cc(C(=O)O)c(NCc2ccco2)cc1Cl",
    "N#Cc1ccc(C2CCNCC2)cc1F",
]
INDOLE = "c1ccc2[nH]ccc2c1"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    params = GraphVaeParams(
        latent=8, width=32, heads=4, layers=1, encoder_layers=1, site_width=16, min_count=1, prior="normal",
        property_molecules=4,
    )  # fmt: skip
    path = tmp_path_factory.mktemp("model") / "tiny"
    save(GraphVae.build(params, SMILES, seed=3), path, {"family": "graph_vae"})
    return path


@pytest.fixture(scope="module")
def model(folder):
    return mg.load(folder, device="cpu")


@pytest.fixture
def run(capsys):
    def call(*arguments):
        code = cli.run([str(a) for a in arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


def rows(text):
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.parametrize("ending", ["npz", "csv", "parquet"])
def test_points_go_to_a_file_and_back_row_by_row(ending, folder, run, tmp_path):
    source, points = tmp_path / "in.csv", tmp_path / f"z.{ending}"
    source.write_text(f"name,smiles\na,{SMILES[1]}\nb,C1CC\nc,{'C' * 70}\nd,c1ccncc1\n")
    code, _, err = run("encode", folder, source, "-o", points)
    assert code == 0
    assert "2 of 4 rows encoded" in err
    code, out, err = run("decode", folder, points)
    assert code == 0
    found = rows(out)
    assert [row["id"] for row in found] == ["a", "", "c", "d"]
    assert [bool(row["smiles"]) for row in found] == [True, False, False, True]
    assert "more than 64 heavy atoms" in found[2]["problem"]
    assert found[1]["problem"].endswith("(line 3)")
    assert run("encode", folder, source, "-o", points)[0] == 2  # nothing is overwritten


def test_a_list_of_molecules_has_points_in_its_order(model):
    result = model.encode([SMILES[1], "nonsense", SMILES[0]], quiet=True)
    assert result.z.shape == (3, 8)
    assert np.isnan(result.z).any(1).tolist() == [False, True, False]
    assert result.to_frame().columns.tolist() == ["smiles", "problem", *(f"z{k}" for k in range(8))]
    alone = model.encode([SMILES[0]], quiet=True)
    assert np.allclose(alone.z[0], result.z[2], atol=1e-4)
    back = model.decode(result)
    assert back.source == [SMILES[1], "", result.smiles[2]]
    assert "<svg" in back._repr_html_()
    assert model.decode(result.z[0]).smiles == back.smiles[:1]
    assert model.encode([], quiet=True).z.shape == (0, 8)


def test_a_beam_lists_the_likeliest_molecules_of_each_point(folder, run, tmp_path):
    rows = tmp_path / "mine.csv"
    rows.write_text(f"name,smiles\na,{SMILES[0]}\nb,C1C\nc,{SMILES[1]}\n")
    assert run("encode", folder, rows, "-o", tmp_path / "points.npz")[0] == 0
    code, out, err = run("decode", folder, tmp_path / "points.npz", "--beam", 3)
    assert code == 0
    assert "molecules of 3 points" in err
    found = list(csv.DictReader(io.StringIO(out)))
    points = {k: [row for row in found if row["point"] == k] for k in ("1", "2", "3")}
    assert sum(map(len, points.values())) == len(found)
    ((bad,), good) = points.pop("2"), list(points.values())
    assert (bad["rank"], bad["smiles"], bad["log_likelihood"]) == ("0", "", "")
    assert bad["problem"].startswith("unparsable")
    for ranked in good:  # standardization may make two of three the same
        assert [row["rank"] for row in ranked] == ["1", "2", "3"][: len(ranked)]
        assert len(ranked) > 1
        values = [float(row["log_likelihood"]) for row in ranked]
        assert values == sorted(values, reverse=True)
    code, _, err = run("decode", folder, tmp_path / "points.npz", "--beam", 3, "--temperature", 1)
    assert code == 2
    assert "goes without a temperature" in err


def test_a_beam_samples_one_molecule_of_each_point(folder, model, run):
    code, out, _ = run("sample", folder, "-n", 4, "--raw", "--beam", 2)
    assert code == 0
    assert len(out.splitlines()) == 5
    assert run("sample", folder, "-n", 4, "--beam", 2, "--greedy")[0] == 2
    with pytest.raises(ModelError, match="cannot list the likeliest molecules of a point"):
        mg.load("druglike").sample(2, beam=2)


def test_points_of_another_size_are_refused(model, tmp_path):
    with pytest.raises(DataError, match="points of this model have 8 numbers"):
        model.decode(np.zeros((3, 5), np.float32))
    path = tmp_path / "other.csv"
    path.write_text("smiles\nCCO\n")
    with pytest.raises(DataError, match=r"has no columns z0, z1 \.\.\.; columns: smiles"):
        model.decode(path)


def test_neighbors_are_distinct_molecules_sorted_by_similarity(folder, model, run):
    found = model.neighbors(SMILES[1], n=5, radius=3.0, temperature=1.0)
    assert len(set(found.smiles)) == 5
    assert found.similarity == sorted(found.similarity, reverse=True)
    assert Chem.CanonSmiles(SMILES[1]) not in found.smiles
    code, out, _ = run("neighbors", folder, SMILES[1], "-n", "5", "--radius", "3", "--temperature", "1")
    assert code == 0
    assert [row["smiles"] for row in rows(out)] == found.smiles
    code, _, err = run("neighbors", folder, SMILES[1], "-n", "50", "--radius", "1e-6")
    assert code == 4
    assert "a larger radius" in err


def test_a_path_has_as_many_steps_as_asked_and_says_whether_its_ends_came_back(folder, model, run):
    path = model.interpolate(SMILES[1], SMILES[2], steps=6)
    frame = path.to_frame()
    assert frame["share"].tolist() == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1])
    assert "does not come back exactly" in path.caption()  # an untrained model
    code, out, _ = run("interpolate", folder, SMILES[1], SMILES[2], "--steps", "6")
    assert code == 0
    assert [row["smiles"] for row in rows(out)] == path.smiles
    assert run("interpolate", folder, SMILES[1], "C" * 70)[0] == 3


def test_a_scaffold_is_in_every_molecule_that_is_sampled(folder, run):
    code, out, err = run("sample", folder, "-n", "10", "--scaffold", f"[*:1]{INDOLE}")
    assert code == 0, err
    found = [Chem.MolFromSmiles(row["smiles"]) for row in rows(out)]
    assert len(found) == 10
    assert all(mol.HasSubstructMatch(Chem.MolFromSmiles(INDOLE)) for mol in found)
    code, _, err = run("sample", folder, "-n", "3", "--scaffold", "C1CC")
    assert code == 3
    assert "not a SMILES that RDKit reads" in err


def test_a_scaffold_that_standardization_changes_is_counted_as_lost(model):
    drawn = draw_molecules(
        model.generator,
        30,
        seed=1,
        max_draws=30,
        options={"scaffold": "CCC(=O)[O-]"},
        refuse=without("CCC(=O)[O-]"),
    )
    funnel = dict(drawn.funnel())
    assert drawn.losses["scaffold changed by the policy"] == funnel["unique"] > funnel["kept"] == 0
    assert funnel["drawn"] == 30 == funnel["valid"]
    raw = model.sample(3, scaffold="CCC(=O)[O-]", raw=True, quiet=True)
    query = Chem.MolFromSmiles("CCC(=O)[O-]")
    assert all(Chem.MolFromSmiles(text).HasSubstructMatch(query) for text in raw.smiles)


def test_steering_says_what_the_head_claims_and_what_is_real(folder, run):
    code, out, err = run(
        "steer", folder, "logp", "--towards", "2.5", "-n", "6", "--steps", "3", "--start", SMILES[1]
    )
    assert code == 0, err
    for row in rows(out):
        assert float(row["claim"]) - float(row["real"]) == pytest.approx(float(row["gap"]), abs=1e-6)
        assert float(row["real"]) == pytest.approx(
            Crippen.MolLogP(Chem.MolFromSmiles(row["smiles"])), abs=1e-6
        )
    assert "the head claims" in err
    assert run("steer", folder, "logq")[0] == 2


def test_greedy_samples_differ_by_their_points_only(model):
    first = model.sample(5, greedy=True, raw=True, quiet=True).smiles
    assert first == model.sample(5, greedy=True, raw=True, temperature=3.0, quiet=True).smiles


@pytest.mark.parametrize(
    "arguments",
    [
        ("sample", "moses", "-n", "1", "--scaffold", INDOLE),
        ("sample", "moses", "-n", "1", "--greedy"),
        ("encode", "moses", "-"),
        ("neighbors", "moses", "CCO"),
    ],
)
def test_a_model_that_cannot_says_which_one_can(arguments, run, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("CCO\n"))
    code, _, err = run(*arguments)
    assert code == 3
    assert "a model of the family 'autoregressive' cannot" in err
    assert "graph_vae" in err


def test_what_is_no_capability_of_any_family_is_not_promised(model):
    with pytest.raises(ModelError, match="cannot turn molecules into points"):
        mg.load("moses", device="cpu").encode(["CCO"])

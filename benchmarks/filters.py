"""The filter stage: how fast the full 2D panel is, what passes each rule, and how the ring rule was calibrated.

    python benchmarks/filters.py speed [FILE] [-n 2000]
    python benchmarks/filters.py pass-rates NAME=FILE ... [-n 3000] [--table-minus FILE] [--apart-from FILE]
    python benchmarks/filters.py rings CHEMBL_RING_SYSTEMS.csv NAME=FILE ... [-n 3000] [--table-minus FILE]

`speed`, which is also what runs without arguments, needs no data but FILE (any table of molecules; default: zinc250k
of the catalog) and prints molecules per CPU-second, ours beside a plain RDKit loop of the same panel. `pass-rates`
prints the share that passes each group, each preset and each gate of `molgen evaluate`. `rings` compares thresholds on
the shipped table with "at least 5 times in ChEMBL" by the table of PatWalters/useful_rdkit_utils
(data/chembl_ring_systems.csv); tautomers of a ring are one ring, by InChIKey. With --table-minus the counts of that
file's molecules are taken out of the shipped table first: a file that was part of the table is then judged as if it had
not been. With --apart-from `pass-rates` also prints each set without the compounds of that file (by the first block of
the InChIKey), and how many those are. FILE may be the name of a catalog entry that was fetched (chembl-drugs), and
FILE.whl stands for the drugs in the wheel of ADMET-AI.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import random
import resource
import sys
import zipfile
from collections import Counter
from functools import cache
from itertools import islice
from pathlib import Path

from rdkit import Chem, DataStructs, RDLogger
from rdkit.Chem import QED, Crippen, Descriptors, FilterCatalog, Lipinski, MolSurf, rdFingerprintGenerator

from molgen.chem import rings
from molgen.chem.bloom import BloomFilter
from molgen.chem.descriptors import DESCRIPTORS
from molgen.chem.fragments import ring_systems
from molgen.chem.molecule import Molecule, parse_all
from molgen.chem.rules.book import Options
from molgen.chem.rules.groups import in_filter
from molgen.chem.rules.rule import Rule
from molgen.chem.rules.ruleset import RuleSet
from molgen.chem.sa_score import sa_score
from molgen.data import catalog
from molgen.data.reader import raw_rows
from molgen.metrics import gates

DRUGS = "admet_ai/resources/data/drugbank_approved.csv"
PHYSCHEM = ("mol_weight", "logp", "tpsa", "hbd", "hba", "rotatable_bonds", "aromatic_rings", "fraction_csp3")
GROUPS = (
    ("graph",),
    ("plain elements",),
    ("shape",),
    ("stereo",),
    ("rings",),
    ("tier 1",),
    ("tier 2",),
    ("PAINS",),
    ("Glaxo",),
    ("SA",),
    ("drug-like",),
    ("Lipinski",),
    ("Veber",),
    ("lead-like",),
    ("CNS",),
    ("BRENK",),
    ("NIH",),
)
PRESETS = ("default", "strict", "lead-like")


def cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def texts_of(path: Path, n: int) -> list[str]:
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as wheel, wheel.open(DRUGS) as stream:
            return [row["smiles"] for row in csv.DictReader(io.TextIOWrapper(stream))]
    if not path.exists():
        path = catalog.locate(str(path))
    rows = [text for _, text, _, _ in raw_rows(path)]
    return random.Random(0).sample(rows, n) if len(rows) > n else rows


def skeleton(mol: Chem.Mol) -> str:
    return str(Chem.MolToInchiKey(mol))[:14]


def read_sets(named: list[str], n: int, apart_from: Path | None = None) -> dict[str, list[Molecule]]:
    sets = {}
    known = {skeleton(m.mol) for m in parse_all(texts_of(apart_from, 10**9)).ok} if apart_from else set()
    for item in named:
        name, _, path = item.partition("=")
        parsed = parse_all(texts_of(Path(path), n))
        sets[name] = parsed.ok
        if path.endswith(".whl") or "drugs" in name:
            sets[f"{name}, up to 700 g/mol"] = [
                m for m in parsed.ok if DESCRIPTORS["mol_weight"](m.mol) <= 700
            ]
        if apart_from and path != str(apart_from):
            rest = [m for m in parsed.ok if skeleton(m.mol) not in known]
            sets[f"{name}, not in {apart_from}"] = rest
            print(f"{name}: {len(parsed.ok) - len(rest):,} of {len(parsed.ok):,} are in {apart_from}")
        print(f"{name}: {len(parsed.ok):,} molecules, refused {parsed.reasons}")
    return sets


def take_out(path: Path | None) -> None:
    """Take the rings of a file's molecules out of the shipped table, in this process."""
    if path is None:
        return
    counts = rings._read()[1]
    for molecule in parse_all(texts_of(path, 10**9)).ok:
        for ring in {rings.flat(one) for one in ring_systems(molecule.mol)}:
            if ring in counts:
                counts[ring] -= 1


def pass_rates(options: argparse.Namespace) -> None:
    RDLogger.DisableLog("rdApp.*")
    sets = read_sets(options.sets, options.n, options.apart_from)
    take_out(options.table_minus)
    everything = tuple(group for (group,) in GROUPS)
    rules = RuleSet(Options(preset="none", add=everything))
    presets = {name: {r.id for r in RuleSet(Options(preset=name)).rules} for name in PRESETS}

    @cache
    def judged(molecule: Molecule) -> frozenset[Rule]:
        found = frozenset(hit.rule for hit in rules.judge(molecule.mol).broken)
        molecule.release()
        return found

    broken = {name: [judged(molecule) for molecule in molecules] for name, molecules in sets.items()}
    print("\n| passes | " + " | ".join(f"{name} ({len(rows):,})" for name, rows in broken.items()) + " |")
    print("|---|" + "---|" * len(broken))
    for group in everything:
        shares = [
            sum(all(r.group != group for r in one) for one in rows) / len(rows) for rows in broken.values()
        ]
        print(f"| {group} | " + " | ".join(f"{100 * share:.1f}" for share in shares) + " |")
    for name, ids in presets.items():
        shares = [
            sum(all(r.id not in ids for r in one) for one in rows) / len(rows) for rows in broken.values()
        ]
        print(f"| **{name}** | " + " | ".join(f"**{100 * share:.1f}**" for share in shares) + " |")
    asked: set[str] = set()
    for gate in gates.GATES:  # each gate asks what the one before asks, and more
        for stage, (own, _) in gates.STAGES.items():
            asked |= set(gates.RULES[stage]) if own == gate else set()
        shares = [
            sum(all(not {r.id, r.group} & asked for r in one) for one in rows) / len(rows)
            for rows in broken.values()
        ]
        print(f"| gate {gate} | " + " | ".join(f"{100 * share:.1f}" for share in shares) + " |")


@cache
def compound(ring: str) -> str:
    mol = Chem.MolFromSmiles(ring)
    key = "" if mol is None else Chem.MolToInchiKey(mol)
    return key[:14] or ring


def calibrate(options: argparse.Namespace) -> None:
    RDLogger.DisableLog("rdApp.*")
    truth: Counter[str] = Counter()
    with options.chembl.open(newline="") as file:
        for row in csv.DictReader(file):
            truth[row["InChI"][:14]] += int(row["Count"])
    sets = read_sets(options.sets, options.n)
    take_out(options.table_minus)
    counts = rings._read()[1]
    filters = [BloomFilter.read(catalog.locate(f"{name}-ring-systems")) for name in ("chembl", "surechembl")]

    @cache
    def both(ring: str) -> bool:
        return all(in_filter(ring, one) for one in filters)

    ways = {
        f"shipped table >= {t}": (lambda ring, t=t: counts.get(rings.flat(ring), 0) >= t)
        for t in (1, 2, 3, 5)
    }
    ways["in ChEMBL's filter"] = lambda ring: in_filter(ring, filters[0])
    ways["table >= 1, or in both filters"] = lambda ring: counts.get(rings.flat(ring), 0) >= 1 or both(ring)
    for name, molecules in sets.items():
        found = [list(dict.fromkeys(ring_systems(molecule.mol))) for molecule in molecules]
        common = [all(truth[compound(rings.flat(ring))] >= 5 for ring in one) for one in found]
        print(f"\n{name}: {100 * sum(common) / len(common):.1f} % have only rings seen >= 5 times in ChEMBL")
        print("| rule | passes, % | agrees, % | common ones rejected | rare ones passed |")
        print("|---|---|---|---|---|")
        for way, knows in ways.items():
            passes = [all(knows(ring) for ring in one) for one in found]
            pairs = Counter(zip(common, passes, strict=True))
            agree = pairs[True, True] + pairs[False, False]
            print(
                f"| {way} | {100 * sum(passes) / len(found):.1f} | {100 * agree / len(found):.1f} | "
                f"{pairs[True, False]} of {sum(common)} | {pairs[False, True]} of {len(found) - sum(common)} |"
            )


def speed(options: argparse.Namespace) -> None:
    if options.file is None:
        from molgen.data.fetch import fetch

        options.file = fetch("zinc250k")
    rows = [text for _, text, _, _ in islice(raw_rows(options.file), options.n + 1_200)]
    references, warm, smiles = rows[:1_000], rows[1_000:1_200], rows[1_200:]
    make = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=2048)
    prints = [make.GetFingerprint(mol) for mol in map(Chem.MolFromSmiles, references) if mol is not None]
    rules = RuleSet(Options(preset="default", add=("tier 2", "BRENK", "NIH")))

    def ours(text: str) -> tuple[float, ...]:
        mol = Chem.MolFromSmiles(text)
        values = [DESCRIPTORS[name](mol) for name in PHYSCHEM]
        verdict = rules.judge(mol)
        near = max(DataStructs.BulkTanimotoSimilarity(make.GetFingerprint(mol), prints))
        return (*values, DESCRIPTORS["qed"](mol), sa_score(mol), near, len(verdict.broken))

    parameters = FilterCatalog.FilterCatalogParams()
    for name in ("PAINS", "BRENK", "NIH", "CHEMBL_Glaxo"):
        parameters.AddCatalog(getattr(FilterCatalog.FilterCatalogParams.FilterCatalogs, name))
    alerts = FilterCatalog.FilterCatalog(parameters)
    from molgen.chem.motifs import motifs

    queries = [query for motif in motifs() for query in motif.queries]

    def plain(text: str) -> tuple[float, ...]:
        mol = Chem.MolFromSmiles(text)
        values = (
            Descriptors.MolWt(mol),
            Crippen.MolLogP(mol),
            MolSurf.TPSA(mol),
            Lipinski.NumHDonors(mol),
            Lipinski.NumHAcceptors(mol),
            Lipinski.NumRotatableBonds(mol),
            Lipinski.NumAromaticRings(mol),
            Lipinski.FractionCSP3(mol),
        )
        hits = len(alerts.GetMatches(mol)) + sum(mol.HasSubstructMatch(query) for query in queries)
        near = max(DataStructs.BulkTanimotoSimilarity(make.GetFingerprint(mol), prints))
        return (*values, QED.qed(mol), sa_score(mol), near, hits + len(ring_systems(mol)))

    for panel in (ours, plain):
        for text in warm:
            panel(text)
    used: dict[str, list[float]] = {"molgen": [], "plain RDKit": []}
    for _ in range(2):  # alternating, because other jobs slow both: the better of two counts
        for name, panel in (("molgen", ours), ("plain RDKit", plain)):
            start = cpu()
            answers = [panel(text) for text in smiles]
            used[name].append(cpu() - start)
            if name == "molgen":
                first = answers
    assert all(a[:11] == b[:11] for a, b in zip(first, answers, strict=True)), "a value differs from RDKit's"
    print(
        "full 2D panel: parse, physchem, QED, SA, rings, 53 motifs, PAINS + BRENK + NIH + Glaxo, graph sanity,"
    )
    print(
        f"similarity to {len(prints):,} references; {len(smiles):,} molecules, load {os.getloadavg()[0]:.1f}"
    )
    for name, seconds in used.items():
        print(f"  {name:<12} {len(smiles) / min(seconds):7.0f} molecules per CPU-second")
    print(f"  ratio {min(used['plain RDKit']) / min(used['molgen']):.2f}")
    print(json.dumps({name: len(smiles) / min(seconds) for name, seconds in used.items()}))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True)
    one = commands.add_parser("speed")
    one.add_argument("file", nargs="?", type=Path)
    one.add_argument("-n", type=int, default=2_000)
    one.set_defaults(run=speed)
    for name, function in (("pass-rates", pass_rates), ("rings", calibrate)):
        one = commands.add_parser(name)
        if name == "rings":
            one.add_argument("chembl", type=Path)
        else:
            one.add_argument("--apart-from", type=Path)
        one.add_argument("sets", nargs="+", metavar="NAME=FILE")
        one.add_argument("-n", type=int, default=3_000)
        one.add_argument("--table-minus", type=Path)
        one.set_defaults(run=function)
    options = parser.parse_args(sys.argv[1:] or ["speed"])
    options.run(options)


if __name__ == "__main__":
    main()

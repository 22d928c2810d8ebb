"""The 23 oracles of PMO (Gao et al., NeurIPS Datasets and Benchmarks 2022) as TDC defines them.

Stereo stays, medians use ECFP4 and ECFP6, and a score is that of one molecule. TDC changed four of them in 0.4.0 (the
isomers, sitagliptin, zaleplon), and published numbers exist for both: ``version`` says which. ``inverted_deco_hop`` is
what TDC's deco_hop gives in a process in which scaffold_hop ran before (they share a global there): the quarter for the
scaffold is turned around, and public score sheets hold that. Here each oracle is made of its own parts, in any order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from molgen.benchmark import parts
from molgen.benchmark.curves import at_least, at_most, gaussian, log_mean, mean, up_to
from molgen.benchmark.features import Features, count_symbols
from molgen.benchmark.parts import Score, contains, lacks, like, pharmacophore_like, target

Version = Literal["1.1.14", "0.3.6"]
VERSIONS: tuple[Version, ...] = ("1.1.14", "0.3.6")
#: Oracles that were changed in TDC 0.4.0; the others are the same in all versions.
CHANGED = ("isomers_c7h8n2o2", "isomers_c9h10n2o2pf2cl", "sitagliptin_mpo", "zaleplon_mpo")
#: Oracles that need arrays of ``molgen data fetch``.
CLASSIFIERS = ("drd2", "gsk3b", "jnk3")


def _isomer(formula: str, version: Version) -> Score:
    if version == "0.3.6":
        # The old count of all atoms read the SMILES as if it were a formula: "CC(=O)Oc1ccccc1" has 3 atoms there.
        return parts.isomer(formula, log_mean, lambda m: sum(count_symbols(m.smiles).values()))
    return parts.isomer(formula, log_mean, lambda m: sum(m.atoms.values()))


def _albuterol(version: Version) -> Score:
    return like("albuterol", "FCFP4", up_to(0.75))


def _mestranol(version: Version) -> Score:
    return like("mestranol", "AP", up_to(0.75))


def _celecoxib(version: Version) -> Score:
    return like("celecoxib", "ECFP4")


def _thiothixene(version: Version) -> Score:
    return like("thiothixene", "ECFP4")


def _troglitazone(version: Version) -> Score:
    return like("troglitazone", "ECFP4")


def _median1(version: Version) -> Score:
    camphor, menthol = like("camphor", "ECFP4"), like("menthol", "ECFP4")
    return lambda m: log_mean([camphor(m), menthol(m)])


def _median2(version: Version) -> Score:
    tadalafil, sildenafil = like("tadalafil", "ECFP6"), like("sildenafil", "ECFP6")
    return lambda m: log_mean([tadalafil(m), sildenafil(m)])


def _osimertinib(version: Version) -> Score:
    roles = like("osimertinib", "FCFP4", up_to(0.8))
    not_too_close = like("osimertinib", "ECFP6", at_most(0.85, 0.1))
    polar, greasy = at_least(100, 10), at_most(1, 1)
    return lambda m: log_mean([polar(m.tpsa), greasy(m.logp), roles(m), not_too_close(m)])


def _fexofenadine(version: Version) -> Score:
    close, polar, greasy = like("fexofenadine", "AP", up_to(0.8)), at_least(90, 10), at_most(4, 1)
    return lambda m: log_mean([polar(m.tpsa), greasy(m.logp), close(m)])


def _ranolazine(version: Version) -> Score:
    close, polar, greasy = like("ranolazine", "AP", up_to(0.7)), at_least(95, 20), at_least(7, 1)
    fluorine = gaussian(1, 1)
    return lambda m: log_mean([polar(m.tpsa), greasy(m.logp), close(m), fluorine(m.atoms.get("F", 0))])


def _perindopril(version: Version) -> Score:
    close, rings = like("perindopril", "ECFP4"), gaussian(2, 0.5)
    return lambda m: log_mean([close(m), rings(m.aromatic_rings)])


def _amlodipine(version: Version) -> Score:
    close, rings = like("amlodipine", "ECFP4"), gaussian(3, 0.5)
    return lambda m: log_mean([close(m), rings(m.rings)])


def _sitagliptin(version: Version) -> Score:
    aim, formula = target("sitagliptin"), _isomer("C16H15F6N5O", version)
    if version == "0.3.6":
        # The old one took similarity, logP and polar surface as they are: no curves, so similarity is rewarded,
        # values may exceed 1, and below logP 0 there is none.
        close = like("sitagliptin", "ECFP4")
        return lambda m: log_mean([close(m), m.logp, m.tpsa, formula(m)])
    unlike = like("sitagliptin", "ECFP4", gaussian(0, 0.1))
    logp, tpsa = gaussian(aim.logp, 0.2), gaussian(aim.tpsa, 5)
    return lambda m: log_mean([unlike(m), logp(m.logp), tpsa(m.tpsa), formula(m)])


def _zaleplon(version: Version) -> Score:
    close, formula = like("zaleplon", "ECFP4"), _isomer("C19H17N3O2", version)
    return lambda m: log_mean([close(m), formula(m)])


def _valsartan(version: Version) -> Score:
    aim, part = target("sitagliptin isomer"), contains(parts.VALSARTAN_PART)
    logp, tpsa, bertz = gaussian(aim.logp, 0.2), gaussian(aim.tpsa, 5), gaussian(aim.bertz, 30)

    def score(m: Features) -> float:
        if not part(m):
            return 0.0  # a factor of the mean; Bertz's index is dear
        return log_mean([1.0, tpsa(m.tpsa), logp(m.logp), bertz(m.bertz)])

    return score


def deco_hop(inverted: bool = False) -> Score:
    """Keep the scaffold and the pharmacophore of a quinazoline, change its decoration.

    ``inverted``: reward the absence of the scaffold instead, as TDC does once its scaffold_hop was called.
    """
    close = pharmacophore_like("quinazoline", up_to(0.85))
    sulfone, benzothiazole = lacks(parts.SULFONE), lacks(parts.BENZOTHIAZOLE)
    scaffold = lacks(parts.SCAFFOLD) if inverted else contains(parts.SCAFFOLD)
    return lambda m: mean([close(m), sulfone(m), benzothiazole(m), scaffold(m)])


def _deco_hop(version: Version) -> Score:
    return deco_hop()


def _scaffold_hop(version: Version) -> Score:
    close = pharmacophore_like("quinazoline", up_to(0.75))
    decoration, scaffold = contains(parts.DECORATION), lacks(parts.SCAFFOLD)
    return lambda m: mean([close(m), decoration(m), scaffold(m)])


_BUILDERS: dict[str, Callable[[Version], Score]] = {
    "albuterol_similarity": _albuterol,
    "amlodipine_mpo": _amlodipine,
    "celecoxib_rediscovery": _celecoxib,
    "deco_hop": _deco_hop,
    "fexofenadine_mpo": _fexofenadine,
    "isomers_c7h8n2o2": lambda version: _isomer("C7H8N2O2", version),
    "isomers_c9h10n2o2pf2cl": lambda version: _isomer("C9H10N2O2PF2Cl", version),
    "median1": _median1,
    "median2": _median2,
    "mestranol_similarity": _mestranol,
    "osimertinib_mpo": _osimertinib,
    "perindopril_mpo": _perindopril,
    "qed": lambda version: lambda m: m.qed,
    "ranolazine_mpo": _ranolazine,
    "scaffold_hop": _scaffold_hop,
    "sitagliptin_mpo": _sitagliptin,
    "thiothixene_rediscovery": _thiothixene,
    "troglitazone_rediscovery": _troglitazone,
    "valsartan_smarts": _valsartan,
    "zaleplon_mpo": _zaleplon,
}
#: All 23, in the alphabetical order of the published tables.
TASKS: tuple[str, ...] = tuple(sorted([*_BUILDERS, *CLASSIFIERS]))


def formula_oracle(name: str, version: Version = "1.1.14", *, inverted_deco_hop: bool = False) -> Score:
    """A new instance of one of the 20 oracles that need nothing but RDKit. Raises KeyError for another name."""
    if name == "deco_hop":
        return deco_hop(inverted_deco_hop)
    return _BUILDERS[name](version)

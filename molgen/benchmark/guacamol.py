"""The 20 goal-directed tasks of GuacaMol v2 (Brown et al., J. Chem. Inf. Model. 59 (2019) 1096).

Same names as in PMO, other definitions in places: similarity to aripiprazole instead of a formula, another geometric
mean, and the score of a task is an average over the best 1, 10 and 100 molecules (:mod:`molgen.benchmark.protocol`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from molgen.benchmark import parts
from molgen.benchmark.curves import at_least, at_most, gaussian, mean, product_root, up_to
from molgen.benchmark.features import Features
from molgen.benchmark.parts import Score, contains, lacks, like, pharmacophore_like, target

_USUAL = (1, 10, 100)


def _isomer(formula: str) -> Score:
    return parts.isomer(formula, product_root, lambda m: m.n_atoms)


def _median(first: str, second: str, kind: str) -> Score:
    one, other = like(first, kind), like(second, kind)
    return lambda m: product_root([one(m), other(m)])


def _osimertinib() -> Score:
    roles = like("osimertinib", "FCFP4", up_to(0.8))
    not_too_close = like("osimertinib", "ECFP6", at_most(0.85, 0.1))
    polar, greasy = at_least(100, 10), at_most(1, 1)
    return lambda m: product_root([roles(m), not_too_close(m), polar(m.tpsa), greasy(m.logp)])


def _fexofenadine() -> Score:
    close, polar, greasy = like("fexofenadine", "AP", up_to(0.8)), at_least(90, 10), at_most(4, 1)
    return lambda m: product_root([close(m), polar(m.tpsa), greasy(m.logp)])


def _ranolazine() -> Score:
    close, greasy, polar = like("ranolazine", "AP", up_to(0.7)), at_least(7, 1), at_least(95, 20)
    fluorine = gaussian(1, 1)
    return lambda m: product_root([close(m), greasy(m.logp), fluorine(m.atoms.get("F", 0)), polar(m.tpsa)])


def _perindopril() -> Score:
    close, rings = like("perindopril", "ECFP4"), gaussian(2, 0.5)
    return lambda m: product_root([close(m), rings(m.aromatic_rings)])


def _amlodipine() -> Score:
    close, rings = like("amlodipine", "ECFP4"), gaussian(3, 0.5)
    return lambda m: product_root([close(m), rings(m.rings)])


def _sitagliptin() -> Score:
    aim, formula = target("sitagliptin"), _isomer("C16H15F6N5O")
    unlike = like("sitagliptin", "ECFP4", gaussian(0, 0.1))
    logp, tpsa = gaussian(aim.logp, 0.2), gaussian(aim.tpsa, 5)
    return lambda m: product_root([unlike(m), logp(m.logp), tpsa(m.tpsa), formula(m)])


def _zaleplon() -> Score:
    close, formula = like("zaleplon", "ECFP4"), _isomer("C19H17N3O2")
    return lambda m: product_root([close(m), formula(m)])


def _valsartan() -> Score:
    aim, part = target("sitagliptin isomer"), contains(parts.VALSARTAN_PART)
    logp, tpsa, bertz = gaussian(aim.logp, 0.2), gaussian(aim.tpsa, 5), gaussian(aim.bertz, 30)

    def score(m: Features) -> float:
        if not part(m):
            return 0.0  # a factor of the product; Bertz's index is dear
        return product_root([1.0, logp(m.logp), tpsa(m.tpsa), bertz(m.bertz)])

    return score


def _deco_hop() -> Score:
    close = pharmacophore_like("quinazoline", up_to(0.85))
    sulfone, benzothiazole = lacks(parts.SULFONE), lacks(parts.BENZOTHIAZOLE)
    scaffold = contains(parts.SCAFFOLD)
    return lambda m: mean([close(m), sulfone(m), benzothiazole(m), scaffold(m)])


def _scaffold_hop() -> Score:
    close = pharmacophore_like("quinazoline", up_to(0.75))
    decoration, scaffold = contains(parts.DECORATION), lacks(parts.SCAFFOLD)
    return lambda m: mean([close(m), decoration(m), scaffold(m)])


@dataclass(frozen=True)
class Task:
    """A task: how to make its oracle, and over how many of the best molecules its score is averaged.

    ``best_of_data`` is the published score of the best molecules of the ChEMBL training set.
    """

    name: str
    build: Callable[[], Score]
    best_of_data: float
    top: tuple[int, ...] = _USUAL


_TASKS = [
    Task("celecoxib_rediscovery", lambda: like("celecoxib", "ECFP4"), 0.505, (1,)),
    Task("troglitazone_rediscovery", lambda: like("troglitazone", "ECFP4"), 0.419, (1,)),
    Task("thiothixene_rediscovery", lambda: like("thiothixene", "ECFP4"), 0.456, (1,)),
    Task("aripiprazole_similarity", lambda: like("aripiprazole", "ECFP4", up_to(0.75)), 0.595),
    Task("albuterol_similarity", lambda: like("albuterol", "FCFP4", up_to(0.75)), 0.719),
    Task("mestranol_similarity", lambda: like("mestranol", "AP", up_to(0.75)), 0.629),
    Task("isomers_c11h24", lambda: _isomer("C11H24"), 0.684, (159,)),
    Task("isomers_c9h10n2o2pf2cl", lambda: _isomer("C9H10N2O2PF2Cl"), 0.747, (250,)),
    Task("median1", lambda: _median("menthol", "camphor", "ECFP4"), 0.334),
    Task("median2", lambda: _median("tadalafil", "sildenafil", "ECFP6"), 0.351),
    Task("osimertinib_mpo", _osimertinib, 0.839),
    Task("fexofenadine_mpo", _fexofenadine, 0.817),
    Task("ranolazine_mpo", _ranolazine, 0.792),
    Task("perindopril_mpo", _perindopril, 0.575),
    Task("amlodipine_mpo", _amlodipine, 0.696),
    Task("sitagliptin_mpo", _sitagliptin, 0.509),
    Task("zaleplon_mpo", _zaleplon, 0.547),
    Task("valsartan_smarts", _valsartan, 0.259),
    Task("deco_hop", _deco_hop, 0.933),
    Task("scaffold_hop", _scaffold_hop, 0.738),
]
#: The 20 tasks by name, in the order of the paper.
TASKS: dict[str, Task] = {task.name: task for task in _TASKS}

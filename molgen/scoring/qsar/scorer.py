"""The scorer ``qsar``: a trained activity model in an objective, each value with the evidence for it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from molgen.core.errors import ConfigError, ModelError, MoleculeError, Problem
from molgen.scoring.protocol import Context, Scored
from molgen.scoring.qsar import store
from molgen.scoring.qsar.model import IN_DOMAIN, Predictions, QsarModel, load
from molgen.scoring.qsar.params import QsarParams

if TYPE_CHECKING:
    from molgen.chem.molecule import Molecule


class QsarScorer:
    """Predicted activity in the target's unit, capped at the training range.

    ``lower_bound``: the lower end of the interval instead, so that a molecule gains nothing by being unlike all
    that was measured. Notes say what is outside of the domain, capped, or predicted by a model that
    is no better than chance.
    """

    def __init__(
        self,
        name: str,
        model: QsarModel,
        folder: Path,
        *,
        lower_bound: bool = False,
        coverage: float | None = None,
    ) -> None:
        self.name = name
        self.unit = model.unit
        self.model, self.folder = model, folder
        self.lower_bound, self.coverage = lower_bound, coverage
        self.warning = "" if model.useful else f"the model {folder.name} is {model.card['verdict']['words']}"
        what = (
            f"lower end of the {coverage or model.coverage:.0%} interval of" if lower_bound else "predicted"
        )
        self.summary = f"{what} {model.name} by the model {folder.name}: {model.card['verdict']['words']}"
        self.evidence_words = _words(model, coverage or model.coverage)
        self.cost = {"gp": 2e-3, "forest": 3e-3, "graph": 4e-3}[model.fitted.kind]
        self.fingerprint = store.fingerprint(folder)
        self.files = {str(folder / store.CARD): self.fingerprint}
        self.evidence_source = (self.fingerprint, coverage)
        if lower_bound and np.isinf(model.intervals.quantile(coverage or model.coverage)):
            raise ModelError(
                f"{folder}: too few compounds for intervals of that coverage; choose a lower one"
            )

    def __call__(self, mols: Sequence[Molecule]) -> Scored:
        """Score a list; see the class."""
        usable, positions, errors = self._usable(mols)
        values = np.full(len(mols), np.nan)
        notes: dict[int, str] = {}
        if usable:
            found = self.model.predict(usable, self.coverage, intervals=self.lower_bound)
            values[positions] = found.low if self.lower_bound else found.value
            notes = {positions[k]: words for k, words in enumerate(self._notes(found)) if words}
        return Scored(values, errors, notes)

    def evidence(self, mols: Sequence[Molecule]) -> dict[str, list[Any]]:
        """Columns that back each value: interval, domain, nearest measured compound, whether it is capped."""
        usable, positions, _ = self._usable(mols)
        columns = self.model.evidence(self.model.predict(usable, self.coverage))
        if len(usable) == len(mols):
            return columns
        place = {position: k for k, position in enumerate(positions)}
        return {
            name: [column[place[i]] if i in place else None for i in range(len(mols))]
            for name, column in columns.items()
        }

    def atom_weights(self, mols: Sequence[Molecule]) -> list[np.ndarray | None]:
        """What each atom adds to the prediction, float64 ``[heavy atoms]`` in the order of ``mol.mol``, by masking."""
        from molgen.scoring.qsar.explain import atom_weights

        found: list[np.ndarray | None] = []
        for mol in mols:
            (form,) = self.model.forms([mol]) if self._usable([mol])[0] else (None,)
            same = form is not None and form.GetNumAtoms() == mol.mol.GetNumAtoms()
            found.append(atom_weights(self.model.fitted, mol.mol) if same else None)
        return found

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (self.name, str(self.folder), self.fingerprint, self.lower_bound, self.coverage)

    def _usable(self, mols: Sequence[Molecule]) -> tuple[list[Molecule], list[int], dict[int, str]]:
        """The molecules that have a form under the model's policy, their positions, and what is wrong with the rest."""
        from molgen.chem.molecule import Molecule as Standard

        usable, positions, errors = [], [], {}
        for i, mol in enumerate(mols):
            if mol.policy != self.model.policy:
                try:
                    mol = Standard.from_smiles(mol.smiles, self.model.policy)
                except MoleculeError as error:
                    errors[i] = f"not standardized as the model wants it: {error.detail}"
                    continue
            usable.append(mol)
            positions.append(i)
        return usable, positions, errors

    def _notes(self, found: Predictions) -> list[str]:
        chance = [] if self.model.useful else ["the model is no better than chance"]
        rows = zip(found.in_domain.tolist(), found.similarity.tolist(), found.capped.tolist(), strict=True)
        notes = []
        for inside, similarity, capped in rows:
            words = list(chance)
            if not inside:
                words.append(f"outside the domain (nearest measured compound {similarity:.2f} < {IN_DOMAIN})")
            if capped:
                words.append("capped at the training range")
            notes.append(", ".join(words))
        return notes


def _words(model: QsarModel, coverage: float) -> dict[str, str]:
    """What the columns of evidence mean, for the headers of files."""
    of = f" of the {coverage:.0%} interval of {model.name}"
    return {
        "low": f"lower end{of}",
        "high": f"upper end{of}",
        "in_domain": f"whether a measured compound is at least {IN_DOMAIN} similar (ECFP4, Tanimoto)",
        "nearest": "id of the nearest measured compound",
        "nearest_smiles": "structure of the nearest measured compound",
        "nearest_similarity": "similarity of the nearest measured compound (ECFP4, Tanimoto)",
        "nearest_activity": f"measured {model.name} of the nearest compound",
        "capped": "whether the model said more than it has ever seen, and was held to the training range",
    }


def build(name: str, params: QsarParams, context: Context) -> QsarScorer:
    """Read and verify the model; raises ConfigError at the key ``model``."""
    folder = (context.base_dir / Path(params.model).expanduser()).resolve()
    try:
        model = load(folder)
        return QsarScorer(name, model, folder, lower_bound=params.lower_bound, coverage=params.coverage)
    except ModelError as error:
        raise ConfigError([Problem("model", str(error))], name) from error


def _rebuild(
    name: str, folder: str, fingerprint: str, lower_bound: bool, coverage: float | None
) -> QsarScorer:
    path = Path(folder)
    if store.fingerprint(path) != fingerprint:
        raise ModelError(f"{path} has changed since this scorer was built; start again")
    return QsarScorer(name, load(path), path, lower_bound=lower_bound, coverage=coverage)

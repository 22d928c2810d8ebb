"""The words of the shipped priors' cards: what each is for, what it cannot do, and how it was measured."""

from __future__ import annotations

from typing import Any

_PROTOCOL = (
    "{n:,} raw strings drawn from the stored 16-bit weights with the model's own temperature and min_p (sampling), "
    "nothing dropped or repaired; whole_distribution: the same at temperature 1 without min_p. "
    "valid: share that RDKit parses and sanitizes. unique@k: over the first k valid, canonical. Novelty: valid "
    "distinct molecules that are not in the training set. FCD: Frechet ChemNet distance of all valid molecules. "
)
#: With a place for ``n``, the number of strings.
PROTOCOLS: dict[str, str] = {
    "moses": _PROTOCOL
    + "References Test and TestSF: the statistics that the MOSES package 0.3.1 publishes (Polykovskiy et al. 2020); "
    "all other metrics as defined there.",
    "druglike": _PROTOCOL
    + "Reference: the held-out 2 % of the same data (sha256 of the canonical SMILES, modulo 50, is 0), which the model "
    "has not seen. FCD/held-out floor: as many training molecules against the same file.",
}
_RINGS = (
    "ring systems known to ChEMBL: share of valid molecules all of whose ring systems are in the Bloom filter of "
    "the package chembl-gen-check."
)
METRIC_NOTES: dict[str, list[str]] = {
    "moses": ["30,000 random training molecules have FCD/Test 0.047 and FCD/TestSF 0.51.", _RINGS],
    "druglike": ["The FCD says little without its floor and the number of molecules.", _RINGS],
}
_NO_CLAIM = "A generated molecule carries no claim of activity, stability, safety, or freedom to operate."
_SIZE = "A string ends after 127 tokens at the latest; no training molecule is longer."
DESCRIPTIONS: dict[str, dict[str, Any]] = {
    "moses": {
        "summary": "MOSES training set (1.58 million lead-like molecules of ZINC), for comparison with the literature",
        "description": "SMILES language model (GRU) of clean lead-like molecules, trained on the MOSES training set.",
        "license": "Apache-2.0",
        "attribution": "Molecules from ZINC (Sterling and Irwin 2015) as selected by MOSES (Polykovskiy et al. 2020).",
        "intended_use": "Comparing generators and optimizers under the MOSES protocol; teaching; tests.",
        "limits": [
            "Knows what MOSES holds: 250 to 350 g/mol, no charges, no stereo, no rings of more than eight atoms, and "
            "seven elements beside hydrogen (C, N, O, S, F, Cl, Br). For design use druglike.",
            _SIZE,
            _NO_CLAIM,
        ],
    },
    "druglike": {
        "summary": "ZINC250k and a ChEMBL-like sample (0.51 million drug-like molecules with charges); the default",
        "description": "SMILES language model (GRU) of drug-like molecules, trained on ZINC250k and a ChEMBL-like "
        "sample.",
        "license": "CC-BY-SA-3.0",
        "attribution": "Molecules from ZINC (Sterling and Irwin 2015) and ChEMBL (EMBL-EBI, CC BY-SA 3.0).",
        "intended_use": "The start of de novo design, of optimization towards an objective, and of fine-tuning on own "
        "compounds.",
        "limits": [
            "Stereo: the ZINC half has it, the ChEMBL-like half does not. Of the training molecules with stereo "
            "centers 52 % leave some undefined, and so does the model; the results count them for each molecule.",
            "Charges as in the data (19 % of the molecules have charged atoms, nitro groups included).",
            "150 to 500 g/mol, one fragment, no macrocycles, no long peptides, no organometallics; molecules with an "
            "atom type that occurs in fewer than 100 molecules were left out (data.tokens_left_out).",
            "Reflects what was made and published before: popular scaffolds come often.",
            _SIZE,
            _NO_CLAIM,
        ],
    },
}

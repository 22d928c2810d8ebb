"""The words of the shipped priors' cards: what each is for, what it cannot do, and how it was measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Kind:
    """What a shipped model was trained on and is compared with: the data, and whether their stereo is left out."""

    data: str
    flat: bool = False


KINDS = {
    "moses": Kind("moses"),
    "druglike": Kind("druglike"),
    "zinc250k": Kind("zinc250k"),  # prepare.py has taken the stereo off
    "graph-vae-moses": Kind("moses"),
    "graph-vae": Kind("druglike", flat=True),
    "latent-gan": Kind("moses"),
    "graph-gan-qm9": Kind("qm9", flat=True),
}
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
PROTOCOLS["zinc250k"] = PROTOCOLS["druglike"]
_LATENT = (
    " Latent vectors are drawn from the learned prior, choices at temperature 1. latent: measured on held-out "
    "molecules; reconstructed is the share of all of them that come back exactly (greedy, from the posterior mean), "
    "those with a fragment outside the vocabulary counted as lost; the FCDs there are of smaller samples and "
    "comparable with one another only."
)
PROTOCOLS["graph-vae-moses"] = PROTOCOLS["moses"] + _LATENT
PROTOCOLS["graph-vae"] = (
    PROTOCOLS["druglike"]
    + " Stereo is taken off the held-out and training molecules, since this model writes none."
    + _LATENT
)
PROTOCOLS["graph-gan-qm9"] = (
    "{n:,} raw strings drawn from the stored 16-bit weights, nothing dropped, repaired or corrected; one_shot: as many "
    "drawn again, raw and where valences are kept in decoding. valid: share that RDKit parses and sanitizes. "
    "unique@k: over the first k valid, canonical. Novelty: valid distinct molecules that are not in the training set. "
    "FCD: Frechet ChemNet distance of all valid molecules. Reference: one molecule of QM9 in 13 (sha256 of the "
    "canonical SMILES, modulo 13, is 0), which the model has not seen; all without stereo. FCD/held-out floor: as many "
    "training molecules against the same file."
)
_RINGS = (
    "ring systems known to ChEMBL: share of valid molecules all of whose ring systems are in the Bloom filter of "
    "the package chembl-gen-check."
)
METRIC_NOTES: dict[str, list[str]] = {
    "moses": ["30,000 random training molecules have FCD/Test 0.047 and FCD/TestSF 0.51.", _RINGS],
    "druglike": ["The FCD says little without its floor and the number of molecules.", _RINGS],
}
METRIC_NOTES["zinc250k"] = METRIC_NOTES["druglike"]
METRIC_NOTES["graph-gan-qm9"] = [
    "Ten thousand random molecules of QM9 are about 96 % distinct; more than that is not better, but off the data.",
    "QM9 enumerates molecules that nobody made: few of its ring systems are known to ChEMBL.",
]
METRIC_NOTES["graph-vae-moses"] = METRIC_NOTES["moses"]
METRIC_NOTES["graph-vae"] = METRIC_NOTES["druglike"]
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
DESCRIPTIONS["zinc250k"] = {
    "summary": "ZINC250k alone (0.24 million drug-like molecules, standardized, without stereo), for benchmarks",
    "description": "SMILES language model (GRU) of drug-like molecules, trained on ZINC250k alone, unlabeled.",
    "license": "Apache-2.0",
    "attribution": "Molecules from ZINC (Sterling and Irwin 2015) as selected by Gomez-Bombarelli et al. (2018).",
    "intended_use": "Optimization benchmarks that count every label (PMO, GuacaMol): its data are those of published "
    "counted runs.",
    "limits": [
        "Knows what ZINC250k holds: 150 to 500 g/mol, standardized without stereo and, as far as they can be "
        "neutralized, without charges. For design use druglike.",
        "Trained on less, and for a shorter time, than druglike.",
        _SIZE,
        _NO_CLAIM,
    ],
}
_GRAPH_LIMITS = [
    "No stereo: it neither reads nor writes it; charges stay.",
    "A new ring system is never proposed: rings are those of the training molecules, whole. Others can be read in and "
    "kept as a scaffold.",
    "Every string is a valid molecule by construction, which says nothing about whether anybody would make it.",
    _NO_CLAIM,
]
DESCRIPTIONS["graph-vae-moses"] = DESCRIPTIONS["moses"] | {
    "description": "Graph VAE over fragment trees of clean lead-like molecules, trained on the MOSES training set.",
    "intended_use": "Comparing latent-variable generators under the MOSES protocol; teaching; tests.",
    "limits": [DESCRIPTIONS["moses"]["limits"][0].replace("druglike", "graph-vae"), *_GRAPH_LIMITS],
}
DESCRIPTIONS["graph-vae"] = DESCRIPTIONS["druglike"] | {
    "summary": "graph VAE of the molecules of druglike, without stereo: latent space, scaffolds, valid molecules only",
    "description": "Graph VAE over fragment trees, trained on ZINC250k and a ChEMBL-like sample without stereo.",
    "intended_use": "Building on a scaffold, neighbors of a molecule, paths between two, search in the latent space.",
    "limits": [*DESCRIPTIONS["druglike"]["limits"][1:4], *_GRAPH_LIMITS],
}
DESCRIPTIONS["graph-gan-qm9"] = {
    "summary": "graph GAN of QM9: molecules of at most nine heavy atoms in one shot; for teaching and comparison",
    "description": "One-shot generator of dense molecular graphs, warm-started as the decoder of an autoencoder and "
    "then taught by a permutation-invariant critic, trained on QM9.",
    "license": "Apache-2.0",
    "attribution": "Molecules from QM9 (Ramakrishnan et al. 2014; CC0), a part of GDB-17 (Ruddigkeit et al. 2012).",
    "intended_use": "Comparing one-shot graph generators under the QM9 protocol; fragments; teaching; tests.",
    "limits": [
        "At most nine heavy atoms of C, N, O and F, with charges as in QM9: no drugs. One-shot graph GANs do not reach "
        "the size of drugs with a good distribution; for that use druglike or graph-vae.",
        "QM9 is enumerated, not made: many of its molecules are strained, tautomers of something else or zwitterions.",
        "What it draws may break a valence; `molgen sample` decodes such draws again under the valences (corrected), "
        "and --raw shows them as they are.",
        "A part of its quality comes from the warm start, which is the decoder of a variational autoencoder; "
        "docs/gan.md says how much.",
        "No stereo: it neither reads nor writes it.",
        _NO_CLAIM,
    ],
}
PROTOCOLS["latent-gan"] = PROTOCOLS["moses"] + _LATENT.replace("the learned prior", "the GAN")
METRIC_NOTES["latent-gan"] = METRIC_NOTES["moses"]
DESCRIPTIONS["latent-gan"] = DESCRIPTIONS["graph-vae-moses"] | {
    "summary": "latent GAN on a graph VAE of MOSES: one step a point, and a critic that knows what is off the manifold",
    "description": "Generator and critic (relativistic pairing, R1 and R2) on the latent space of a graph VAE with "
    "denser points than graph-vae-moses (KL weight 0.6), whose encoder and decoder are part of it.",
    "intended_use": "Comparing GANs with other generators under the MOSES protocol; a start for fine-tuning on a few "
    "hundred actives; teaching; tests.",
    "limits": [
        DESCRIPTIONS["graph-vae-moses"]["limits"][0],
        "That every string is valid is the decoder's doing, not the GAN's. Whether the GAN draws better points than "
        "the VAE's own prior, a flow, is in docs/benchmarks.md: choose by that.",
        "It has no density: it cannot say how likely a point or a molecule is.",
        *_GRAPH_LIMITS,
    ],
}

"""Unlearning of the model's own broken strings: a penalty on the likelihood of what it drew and nobody can use.

Maximum likelihood teaches what molecules look like and nothing about what they never look like; most broken strings
are the model's own inventions. Each step draws some strings, keeps the broken ones, and adds

    min(weight / samples, 1 / broken) * sum over the broken strings of log p(string)

to the loss, so their likelihood falls: unlikelihood training (Welleck et al. 2020, arXiv:1908.04319) on whole strings,
drawn from the model itself, so that what is no longer drawn is no longer pushed. For a model that can represent the
data the optimum is that of maximum likelihood: a broken string is in no training set.
"""

from __future__ import annotations

import torch
from rdkit import Chem, rdBase
from torch import Tensor

from molgen.chem.rings import min_frequency
from molgen.core.schema import UnlikelihoodConfig
from molgen.data.vocabulary import Vocabulary
from molgen.models.autoregressive.network import RecurrentNetwork, token_log_likelihood
from molgen.models.autoregressive.sampler import sample_sequences
from molgen.models.autoregressive.sequences import pad_lists


def broken(smiles: str, *, known_rings: bool = False) -> bool:
    """Whether RDKit cannot parse the string, or, with ``known_rings``, a ring system of it is in no public molecule."""
    mol = Chem.MolFromSmiles(smiles) if smiles else None
    if mol is None:
        return True
    return known_rings and min_frequency(mol) == 0


def penalty(
    network: RecurrentNetwork, vocabulary: Vocabulary, config: UnlikelihoodConfig, *, max_tokens: int
) -> tuple[Tensor | None, dict[str, float]]:
    """The term of the loss (None where nothing was broken) and the share of broken strings among the drawn ones.

    The draw takes its seed from torch's generator of the moment, which a checkpoint of the training saves.
    """
    drawn = sample_sequences(
        network,
        config.samples,
        seed=int(torch.randint(2**31, (1,))),
        batch_size=config.samples,
        max_tokens=max_tokens,
    )
    strings = [vocabulary.decode(ids) for ids in drawn.sequences]
    with rdBase.BlockLogs():
        rows = [
            ids
            for ids, text in zip(drawn.sequences, strings, strict=True)
            if broken(text, known_rings=config.known_rings)
        ]
    metrics = {"broken": len(rows) / config.samples}
    if not rows:
        return None, metrics
    batch = pad_lists(rows).to(network.output.weight.device)
    likelihood = token_log_likelihood(network(batch.inputs), batch.targets)
    # At most their mean: where most is broken (a young model) the penalty would outweigh the data and teach nothing.
    return min(config.weight / config.samples, 1 / len(rows)) * likelihood.sum(), metrics

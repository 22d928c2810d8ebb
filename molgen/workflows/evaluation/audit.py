"""The audits of an evaluation: memorization, collapse, bias, the funnel with its gates, and the verdicts."""

from __future__ import annotations

from collections import Counter

import numpy as np
from rdkit import Chem

from molgen.chem.fingerprints import nearest as nearest_reference
from molgen.core.seeding import numpy_generator
from molgen.metrics.collapse import Recall, circles, entropy, entropy_curve, ring_recall, unique_curve
from molgen.metrics.degenerate import analogues, chain_share, common_core, compounds, pick, top_scaffold
from molgen.metrics.drift import PROPERTIES, Drift, drifts, share_shifts
from molgen.metrics.evaluation import Pair
from molgen.metrics.funnel import build_funnel
from molgen.metrics.gates import gate_shares
from molgen.metrics.intervals import mean_interval, share_interval
from molgen.metrics.memorization import Memorization, memorization
from molgen.metrics.similarity import morgan_bits, nearest_similarity
from molgen.metrics.verdicts import Facts, unusable, verdicts
from molgen.workflows.evaluation.context import Context, judge_all
from molgen.workflows.evaluation.inputs import ring_counts

_NEIGHBORS_OF = 5_000  # distinct molecules whose nearest training neighbor is searched
_CONTROLS = 3_000
_CIRCLES = 2_000
_JUDGED_FOR_VERDICT = 500
_PAIRS = 12


def audit(context: Context, *, full: bool) -> None:
    """Find what the verdicts rest on; with ``full`` also judge every molecule and record all audit metrics."""
    result, sample = context.result, context.sample
    distinct = context.distinct
    if verdict := unusable(sample.n_raw, len(sample.smiles), context.parsed.reasons):
        result.verdicts.append(verdict)
    if not distinct:
        result.warnings.append("no molecule that standardizes: there is nothing to audit")
        result.funnel = build_funnel(len(context.raw), context.parsed.reasons, 0, [])
        return
    mols = [molecule.mol for molecule in distinct]
    _judge(context, full)
    width = _width(context, full)
    context.say("one molecule, one core, one compound?")
    facts = Facts(
        n_raw=sample.n_raw,
        validity=sample.validity,
        distinct_share=len(set(sample.smiles)) / len(sample.smiles),
        analogues=analogues(mols),
        scaffold=top_scaffold(context.scaffolds),
        core=common_core(mols),
        chains=chain_share(mols),
        compounds=compounds(list(dict.fromkeys(sample.smiles))),
        gates=result.gates,
        training=_training_words(context),
        memorization=_memorization(context),
        drifts=_drift(context),
        circles=width[0],
        reference_circles=width[1],
        rings=width[2],
    )
    result.verdicts.extend(verdicts(facts))
    if not full:
        return
    n = len(distinct)
    for name, share in (("analogues of one molecule", facts.analogues), ("one core", facts.core)):
        context.add("audit", name, share.share, share.n, note=share.smiles)
    context.add("audit", "most frequent scaffold", facts.scaffold.share, n, note=facts.scaffold.smiles)
    context.add("audit", "alkane chains", facts.chains, n)
    both = facts.compounds
    context.add(
        "audit",
        "compounds per structure",
        both.compounds / both.strings,
        both.strings,
        note="salts, charges, isotopes and tautomers taken together",
    )
    result.curves["unique"] = [("distinct share", unique_curve(sample.smiles))]
    result.curves["scaffolds"] = [("sample", entropy_curve(context.scaffolds))]
    context.add("audit", "scaffold entropy (nats)", entropy(Counter(context.scaffolds)), n)


def _judge(context: Context, full: bool) -> None:
    """The funnel over everything, or the gates over a part for the verdict alone."""
    distinct, result = context.distinct, context.result
    if not full:
        few = [distinct[i] for i in pick(len(distinct), _JUDGED_FOR_VERDICT)]
        result.gates = gate_shares(judge_all(few, 1, context.say))
        return
    context.judged = judge_all(distinct, context.workers, context.say)
    result.funnel = build_funnel(
        len(context.raw),
        context.parsed.reasons,
        len(context.parsed.ok) - len(distinct),
        context.judged,
    )
    result.gates = result.funnel.gates()
    for gate, share in result.gates.items():
        low, high = share_interval(round(share * len(distinct)), len(distinct))
        context.add("audit", f"gate {gate}", share, len(distinct), low=low, high=high)
    context.add("audit", "delivered of raw", result.funnel.delivered / result.funnel.raw, result.funnel.raw)


def _memorization(context: Context) -> Memorization | None:
    training, result = context.training, context.result
    if training is None:
        return None
    n = len(context.distinct)
    context.say("nearest training molecules", 0, n)
    searched = pick(n, _NEIGHBORS_OF, context.seed)
    nearest = np.full(n, np.nan)
    nearest[searched] = nearest_similarity(context.bits[searched], training.fingerprints)
    control = _control(context)
    audit = memorization(
        context.flat,
        nearest,
        training.known,
        scaffolds=context.scaffolds,
        training_scaffolds=training.scaffolds,
        control=control,
    )
    low, high = share_interval(round(audit.copies * n), n)
    context.add("audit", "copies of training molecules", audit.copies, n, low=low, high=high)
    among = f"among {len(training.smiles):,} of {len(training.known):,} training molecules"
    if audit.scaffold_copies is not None:
        note = f"share of scaffolds that occur {among}"
        context.add("audit", "scaffolds of the training set", audit.scaffold_copies, n, note=note)
    if len(audit.nearest):
        low, high = mean_interval(audit.nearest, seed=context.seed)
        name, value = "similarity to the nearest training molecule", float(audit.nearest.mean())
        floor = float(control.mean()) if len(control) else None
        context.add("audit", name, value, len(audit.nearest), low=low, high=high, floor=floor, note=among)
    if audit.closer is not None:
        note = "0.5: as far as held-out molecules; exact copies are left out"
        context.add("audit", "closer to training than held-out", audit.closer, len(audit.nearest), note=note)
        context.add("audit", "C_T z", audit.z, len(audit.nearest), note="below -3: closer than chance allows")
    result.nearest = audit.nearest.tolist(), control.tolist()
    _pairs(context, nearest)
    return audit


def _control(context: Context) -> np.ndarray:
    """Similarities of held-out molecules to their nearest training molecule; none if they are in the training set."""
    training, profile = context.training, context.profile
    if training is None or profile is None:
        return np.empty(0)
    from molgen.chem.molecule import parse_all

    parsed = parse_all(profile.smiles[profile.second][:_CONTROLS], "flat").ok
    held_out = [molecule.mol for molecule in parsed if molecule.smiles not in training.known]
    if len(held_out) < max(2, len(parsed) // 2):
        context.result.warnings.append(
            "no control for memorization: most of the reference is in the training set; "
            "give held-out molecules as --reference"
        )
        return np.empty(0)
    return nearest_similarity(morgan_bits(held_out), training.fingerprints)


def _pairs(context: Context, nearest: np.ndarray) -> None:
    """The closest novel molecules and some typical ones beside their nearest training molecules."""
    training = context.training
    assert training is not None
    novel = [i for i in np.flatnonzero(np.isfinite(nearest)) if context.flat[i] not in training.known]
    ordered = sorted(novel, key=lambda i: (-nearest[i], i))
    middle = len(ordered) // 2
    chosen = list(dict.fromkeys([*ordered[: _PAIRS // 2], *ordered[middle : middle + _PAIRS // 2]]))
    if not chosen:
        return
    index, similarity = nearest_reference(context.bits[chosen], training.fingerprints)
    context.result.pairs = [
        Pair(context.distinct[i].smiles, training.smiles[int(j)], float(value))
        for i, j, value in zip(chosen, index, similarity, strict=True)
    ]


def _drift(context: Context) -> list[Drift]:
    result, profile = context.result, context.profile
    if profile is None:
        result.distributions = {
            key: (values.tolist(), []) for key, values in context.properties.items() if key in PROPERTIES
        }
        return []
    theirs = {key: values[profile.first] for key, values in profile.properties.items()}
    result.drifts = drifts(context.properties, theirs)
    result.distributions = {
        key: (context.properties[key].tolist(), theirs[key].tolist()) for key in PROPERTIES if key in theirs
    }
    result.scaffold_shifts = share_shifts(
        Counter(filter(None, context.scaffolds)),
        len(context.distinct),
        {key: count for key, count in profile.scaffolds.items() if key},
        profile.split,
    )
    return result.drifts


def _width(context: Context, full: bool) -> tuple[int | None, int | None, Recall | None]:
    """#circles beside that of as many reference molecules, and the recall of ring systems."""
    profile = context.profile
    if profile is None or profile.split < 2:
        if full:
            size = min(_CIRCLES, len(context.distinct))
            context.add("audit", "#circles", circles(context.bits[:size]), size)
        return None, None, None
    context.say("#circles and ring systems")
    size = min(_CIRCLES, len(context.distinct), profile.split)
    order = numpy_generator(context.seed, "circles").permutation(len(context.distinct))[:size]
    own = circles(context.bits[np.sort(order)])
    others = [Chem.MolFromSmiles(text) for text in profile.smiles[profile.first][:size]]
    theirs = circles(morgan_bits(others))
    recall = ring_recall(ring_counts(context.sample.mols), profile.rings[0], _expected_recall(context))
    if full:
        note = "molecules that are pairwise less than 0.4 similar"
        context.add("audit", "#circles", own, size, floor=theirs, note=note)
        if recall is not None:
            n = len(context.sample.mols)
            context.add("audit", "ring system recall", recall.weighted, n, floor=recall.expected)
            context.add("audit", "ring system recall (kinds)", recall.kinds, n)
            context.add("audit", "ring system precision", recall.precision, n)
    return own, theirs, recall


def _expected_recall(context: Context) -> float | None:
    """What the control part of the reference reaches, where it is about as large as the sample."""
    profile = context.profile
    if profile is None or len(profile.smiles) - profile.split > 2 * len(context.sample.mols):
        return None
    found = ring_recall(profile.rings[1], profile.rings[0])
    return found.weighted if found is not None else None


def _training_words(context: Context) -> str:
    name = context.result.training or ""
    return (
        "reference"
        if name == context.result.reference and name not in ("moses", "druglike")
        else "training set"
    )

"""What an activity model is worth, in words: the verdict on a card, and the card as a page."""

from __future__ import annotations

from typing import Any

SIGNIFICANT = 0.05
_WEAK_Q2 = 0.3


def main_split(card: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The split that the verdict rests on (random where there is one), and its figures: nested before plain."""
    name = "random" if "random" in card["validation"] else next(iter(card["validation"]))
    return name, split_figures(card, name)


def split_figures(card: dict[str, Any], name: str) -> dict[str, Any]:
    """Figures of the procedure under one split: of the nested choice, else of the chosen kind."""
    figures = card["validation"][name]
    found: dict[str, Any] = figures.get("nested") or figures["candidates"][card["model"]["kind"]]
    return found


def verdict(card: dict[str, Any]) -> dict[str, Any]:
    """Useful or not, and why: better than the mean, and than scrambled activities (one-sided permutation test)."""
    _, figures = main_split(card)
    scrambled = card["scrambled"]
    beats_mean = figures["q2"] is not None and figures["q2"] > 0
    beats_chance = scrambled["p_value"] <= SIGNIFICANT
    useful = beats_mean and beats_chance
    reasons = []
    if not beats_mean:
        reasons.append(
            f"its error on unseen compounds ({figures['rmse']:.2f}) is no smaller than that of always saying the mean "
            f"({figures['rmse_of_mean']:.2f})"
        )
    if not beats_chance:
        reasons.append(
            f"it ranks unseen compounds (Spearman {scrambled['spearman']:.2f}) no better than models of scrambled "
            f"activities do (95th percentile {scrambled['scrambled_95th_percentile']:.2f}, "
            f"p = {scrambled['p_value']:.2f})"
        )
    if useful:
        words = "USEFUL" if figures["q2"] >= _WEAK_Q2 else "WEAK, but better than chance"
        words += f": Spearman {figures['spearman']:.2f}, q2 {figures['q2']:.2f} on unseen compounds"
    else:
        words = f"USELESS: {', and '.join(reasons)}. Do not rank compounds with it"
    return {
        "useful": useful,
        "words": words,
        "beats_mean": beats_mean,
        "beats_scrambled": beats_chance,
        "tests": "q2 > 0 in cross-validation; Spearman above scrambled activities with p <= 0.05, one-sided",
    }


def words(card: dict[str, Any]) -> list[str]:
    """The card as sentences, the verdict first."""
    target, curation, known = card["target"]["name"], card["curation"], card["training_set"]
    lines = [card["verdict"]["words"]]
    lines.append(
        f"Data: {curation['rows']:,} rows = {curation['kept']:,} kept + {curation['merged']:,} merged + "
        f"{curation['conflict']:,} in conflict + {curation['rejected']:,} rejected"
        + (f" + {curation['set_aside']:,} set aside" if curation["set_aside"] else "")
        + f"; {known['exact']:,} compounds "
        f"with an exact {target}, {known['censored']:,} open-ended (< >)"
    )
    lines += [f"  {count:,} {why}" for why, count in curation["reasons"].items()]
    lines.append(
        f"{target}: {known['low']:.3g} to {known['high']:.3g}, mean {known['mean']:.3g}, standard deviation "
        f"{known['sd']:.3g}; {known['scaffolds']:,} scaffolds, {known['largest_scaffold']:.0%} have the commonest one"
    )
    if known["replicated"]:
        lines.append(
            f"{known['replicated']:,} compounds measured more than once, median spread {known['replicate_spread']:.2f}"
        )
    lines.append(f"Model: {card['model']['words']}, chosen among {', '.join(card['model']['candidates'])}")
    for name in card["validation"]:
        lines += _split_words(card, name)
    if card["no_scaffold_split"]:
        lines.append(f"No scaffold split: {card['no_scaffold_split']}; nothing is known about new scaffolds")
    scrambled = card["scrambled"]
    lines.append(
        f"Scrambled activities ({scrambled['times']} times, {scrambled['rows']} compounds, {scrambled['model']}): "
        f"Spearman {scrambled['spearman']:.2f} against {scrambled['scrambled_95th_percentile']:.2f} at their 95th "
        f"percentile, p = {scrambled['p_value']:.3f}"
    )
    lines += _interval_words(card)
    lines.append(
        f"Predictions end at the training range ({known['low']:.3g} to {known['high']:.3g}); "
        "beyond it they are flagged as capped"
    )
    if card["suspects"]:
        lines.append("Measurements to look at again (far from what the other compounds suggest):")
        lines += [f"  {s['id']}: {s['value']:.2f}, predicted {s['predicted']:.2f}" for s in card["suspects"]]
    return lines


def _split_words(card: dict[str, Any], name: str) -> list[str]:
    figures = card["validation"][name]
    lines = []
    if "nested" in figures:
        lines.append(f"Unseen compounds, {name} split, choice included: {_figures(figures['nested'])}")
    for kind, each in figures["candidates"].items():
        mark = " (chosen)" if kind == card["model"]["kind"] else ""
        lines.append(f"  {name} split, {kind}{mark}: {_figures(each)}")
    if name == "scaffold":
        best = split_figures(card, name)
        if best["q2"] is None or best["q2"] <= 0:
            lines.append("On new scaffolds it is no better than the mean: use it within the series only")
    return lines


def _figures(f: dict[str, Any]) -> str:
    q2 = "none" if f["q2"] is None else f"{f['q2']:.2f}"
    words = f"Spearman {f['spearman']:.2f}, q2 {q2}, RMSE {f['rmse']:.2f} (of the mean: {f['rmse_of_mean']:.2f}), "
    words += f"n = {f['n']:,}"
    if "censored" in f:
        words += f"; {f['censored_right_side']} of {f['censored']} open-ended on the right side"
    return words


def _interval_words(card: dict[str, Any]) -> list[str]:
    found, known = card["intervals"], card["training_set"]
    share = f"{found['coverage']:.0%}"
    if found["half_width"] is None:
        return [f"Intervals of {share} cannot be given: {found['compounds']} held-back compounds are too few"]
    line = f"Intervals of {share}: typically +-{found['half_width']:.2f}, wider away from the training set"
    if "covered_new_scaffolds" in found:
        line += f"; they held {found['covered_new_scaffolds']:.0%} of the compounds of scaffolds held back"
    lines = [line]
    if found["half_width"] >= 1.2816 * known["sd"] and found["coverage"] == 0.8:
        lines.append("That is no narrower than the spread of the data: the model adds a ranking at best")
    return lines


def page(card: dict[str, Any]) -> str:
    """The card as Markdown."""
    first, *rest = words(card)
    body = "\n".join(f"  - {line.strip()}" if line.startswith("  ") else f"- {line}" for line in rest)
    return f"# Activity model: {card['target']['name']}\n\n**{first}**\n\n{body}\n"

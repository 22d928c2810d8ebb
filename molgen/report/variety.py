"""The section of the report on how different the delivered are, and which wishes pull against each other."""

from __future__ import annotations

from collections import defaultdict
from html import escape

from molgen.optimize.protocol import Delivery
from molgen.report.charts import Cloud, scatter_chart
from molgen.report.summary import count, fraction, is_number
from molgen.report.why import correlations

_PICTURE = (240, 170)
_MOST_CLUSTERS = 36
_MOST_PAIRS = 3


def variety_section(delivery: Delivery) -> str:
    """Clusters with their best molecule, and scatter plots of the components that oppose each other most."""
    parts = [_clusters(delivery), _trade_offs(delivery)]
    return "".join(part for part in parts if part)


def _clusters(delivery: Delivery) -> str:
    members: dict[int, list[int]] = defaultdict(list)
    for place, row in enumerate(delivery.candidates, start=1):
        if is_number(row.get("cluster")):
            members[int(row["cluster"])].append(place)
    if not members:
        return ""
    alone = sum(len(places) == 1 for places in members.values())
    largest = max(len(places) for places in members.values())
    total = sum(len(places) for places in members.values())
    lead = (
        f"The {total:,} delivered molecules fall into {count(len(members), 'cluster')} (Butina, ECFP4); {alone:,} "
        f"of them hold a single one, the largest holds {largest / total:.0%}. Each is shown by its best."
    )
    shown = sorted(members.items(), key=lambda item: (-len(item[1]), item[1][0]))[:_MOST_CLUSTERS]
    tiles = []
    for number, places in shown:
        best = delivery.candidates[places[0] - 1]
        size = int(best.get("cluster_size") or 0)
        pool = f" of {size:,} to choose from" if size > len(places) else ""
        others = ", ".join(f'<a href="#card{place}">#{place}</a>' for place in places[1:6])
        more = f" … {len(places) - 6} more" if len(places) > 6 else ""
        tiles.append(
            f'<div class="tile"><a href="#card{places[0]}" class="paper">'
            f'<svg viewBox="0 0 {_PICTURE[0]} {_PICTURE[1]}" role="img" aria-label="best of cluster {number}">'
            f'<use href="#mol{places[0]}"/></svg></a>'
            f"<b>cluster {number}</b>: {count(len(places), 'molecule')}{pool}<br>"
            f'<a href="#card{places[0]}">#{places[0]}</a> ({escape(fraction(best.get("score"), 3))})'
            f"{', ' + others if others else ''}{more}</div>"
        )
    rest = len(members) - len(shown)
    after = (
        f'<p class="soft">{rest:,} further clusters are in the column cluster of the files.</p>'
        if rest
        else ""
    )
    return f'<h3>Clusters</h3><p>{lead}</p><div class="tiles">{"".join(tiles)}</div>{after}'


def _trade_offs(delivery: Delivery) -> str:
    pairs = [pair for pair in correlations(delivery) if pair[0] < -0.1][:_MOST_PAIRS]
    if not pairs:
        return ""
    fronts = delivery.ranking == "pareto"
    charts = []
    for rho, a, b in pairs:
        points: dict[bool, list[tuple[float, float]]] = {True: [], False: []}
        for row in delivery.candidates:
            on_first = not fronts or row.get("front") == 1
            points[on_first].append((float(row[f"{a}_desirability"]), float(row[f"{b}_desirability"])))
        clouds = [Cloud("front 1" if fronts else "delivered", points[True], "s2" if fronts else "s1")]
        if points[False]:
            clouds.insert(0, Cloud("later fronts", points[False], "s1"))
        title = f"{a} against {b} (rank correlation {rho:.2f})"
        chart = scatter_chart(
            clouds, title=title, x_label=f"desirability of {a}", y_label=f"desirability of {b}"
        )
        charts.append(f'<div class="panel">{chart}</div>')
    lead = (
        "Components that pull against each other among the delivered: more of one is less of the other. Their weights "
        "decide; molgen rank tries other weights without scoring again."
    )
    return f'<h3>Trade-offs</h3><p>{lead}</p><div class="three">{"".join(charts)}</div>'

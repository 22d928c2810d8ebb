"""The HTML page of an evaluation: verdicts first, then metrics beside their floors, funnel, plots and pictures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from html import escape

from molgen.chem.draw import compare, svg
from molgen.metrics.drift import PROPERTIES
from molgen.metrics.evaluation import Evaluation, Metric, Pair
from molgen.metrics.gates import STAGES
from molgen.report.charts import Bars, Line, histogram, line_chart, share_bar
from molgen.report.sdf import read_smiles
from molgen.report.style import STYLE
from molgen.report.summary import NO_VALUE, is_number, number

_SUITES = {
    "moses": "MOSES",
    "guacamol": "GuacaMol, distribution learning",
    "general": "General metrics, each beside what reference molecules get",
    "likelihood": "Likelihood (exact, and the one metric that no filter can improve)",
    "latent": "Latent space",
    "audit": "Audits",
}
_EXTRA = """
.verdicts{background:var(--poor);color:#fff;border-radius:8px;padding:10px 16px 10px 34px;margin:12px 0;font-weight:600}
.clear{border-left:5px solid var(--good);padding:4px 12px;margin:12px 0}
.metrics{font-size:13.5px}.metrics td,.metrics th{padding:3px 10px 3px 0;border-bottom:1px solid var(--line);
vertical-align:top}
.metrics .n{text-align:right;white-space:nowrap}.metrics .note{color:var(--soft);font-size:12px;overflow-wrap:anywhere}
.pairs{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(400px,100%),1fr));gap:14px}
.pair{display:grid;grid-template-columns:1fr 1fr;gap:8px}
"""
_PICTURE = (200, 140)
_FACTS = (
    ("valid", "moses", "of the strings are molecules"),
    ("unique@1000", "moses", "of the first 1,000 are different"),
    ("Novelty", "moses", "of the different molecules are not in the training set"),
    ("FCD/Test", "moses", "FCD to the MOSES test set"),
    ("FCD (equal size)", "general", "FCD to the reference, at equal size"),
    ("coverage (ChemNet)", "general", "of the reference is covered (ChemNet)"),
    ("#circles", "audit", "molecules that are pairwise unlike (#circles)"),
    ("gate E", "audit", "pass all gates (E)"),
)
_SHARES = {"valid", "unique@1000", "Novelty", "coverage (ChemNet)", "gate E"}


def to_html(result: Evaluation) -> str:
    """One self-contained page: no script, no network; the policy in its head forbids both."""
    sections = [
        ("metrics", "Metrics", _metrics(result)),
        ("funnel", "Funnel and gates", _funnel(result)),
        ("nearest", "Nearest training molecules", _nearest(result)),
        ("distributions", "Distributions", _distributions(result)),
        ("collapse", "Repetition", _curves(result)),
        ("bias", "Bias", _bias(result)),
        ("origin", "Settings and origin", _origin(result)),
    ]
    sections = [section for section in sections if section[2]]
    nav = "".join(f'<a href="#{key}">{title}</a>' for key, title, _ in sections)
    body = "".join(
        f'<section id="{key}"><h2>{title}</h2>{content}</section>' for key, title, content in sections
    )
    policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'"
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>Evaluation of {escape(result.name)} - molgen</title><style>{STYLE}{_EXTRA}</style></head>"
        f"<body><main>\n{_first_screen(result)}<nav>{nav}</nav>{body}"
        "<footer>Written by molgen. All numbers with all digits are in metrics.csv and evaluation.json beside this "
        "page.</footer></main></body></html>\n"
    )


def _first_screen(result: Evaluation) -> str:
    against = (
        f"compared with <b>{escape(result.reference)}</b>" if result.reference else "without a reference"
    )
    trained = f", training set <b>{escape(result.training)}</b>" if result.training else ""
    if result.verdicts:
        lines = "".join(f"<li>{escape(verdict.words)}</li>" for verdict in result.verdicts)
        verdict = f'<ul class="verdicts">{lines}</ul>'
    else:
        verdict = f'<p class="clear">{escape(result.no_verdict)}</p>'
    notes = "".join(f"<li>{escape(text)}</li>" for text in result.warnings)
    facts = "".join(
        f'<div class="fact panel"><b>{big}</b><span>{small}</span></div>' for big, small in _facts(result)
    )
    return (
        f"<h1>Evaluation of {escape(result.name)}</h1>"
        f"<p>{result.n_raw:,} strings, {result.n_valid:,} valid, {result.n_distinct:,} different; "
        f"{against}{trained}.</p>"
        f'{verdict}<div class="facts">{facts}</div>' + (f'<ul class="notes">{notes}</ul>' if notes else "")
    )


def _facts(result: Evaluation) -> list[tuple[str, str]]:
    by_name = {(metric.name, metric.suite): metric for metric in result.metrics}
    found = []
    for name, suite, words in _FACTS:
        metric = by_name.get((name, suite))
        if metric is None or not is_number(metric.value):
            continue
        big = f"{metric.value:.1%}" if name in _SHARES else number(metric.value)
        if is_number(metric.floor):
            best = f"{metric.floor:.1%}" if name in _SHARES else number(metric.floor)
            words += f"; reference molecules get {best}"
        found.append((big, escape(words)))
    return found


def _metrics(result: Evaluation) -> str:
    parts = []
    for suite, title in _SUITES.items():
        rows = [metric for metric in result.metrics if metric.suite == suite]
        if rows:
            often = {note for note, count in Counter(m.note for m in rows).items() if note and count > 2}
            lines = "".join(_metric_row(metric, often) for metric in rows)
            shared = "".join(f'<div class="note">* {escape(note)}</div>' for note in sorted(often))
            parts.append(
                f'<div class="panel"><h3>{escape(title)}</h3><div class="metrics">{shared}</div>'
                '<table class="metrics"><thead><tr><th>metric</th>'
                '<th class="n">value</th><th class="n">95 % interval</th><th class="n">perfect</th><th class="n">n</th>'
                f"</tr></thead><tbody>{lines}</tbody></table></div>"
            )
    lead = (
        "<p><b>perfect</b> is what as many molecules of the reference itself get: no honest generator is better. "
        "Where a value is better than that, it was memorized or selected.</p>"
    )
    return f'{lead}<div class="two">{"".join(parts)}</div>' if parts else ""


def _metric_row(metric: Metric, often: Collection[str]) -> str:
    """A note that many rows of the table share stands above it once; here only its star."""
    interval = f"{_digits(metric.low)} to {_digits(metric.high)}" if is_number(metric.low) else ""
    floor = _digits(metric.floor) if is_number(metric.floor) else ""
    note = f'<div class="note">{escape(metric.note)}</div>' if metric.note else ""
    note = " *" if metric.note in often else note
    value = _digits(metric.value)
    return (
        f'<tr><td>{escape(metric.name)}{note}</td><td class="n"><b>{value}</b></td><td class="n">{interval}</td>'
        f'<td class="n">{floor}</td><td class="n">{metric.n:,}</td></tr>'
    )


def _digits(value: float | None) -> str:
    """Four significant digits: metrics are compared in the third."""
    return f"{value:.4g}" if is_number(value) else NO_VALUE


def _funnel(result: Evaluation) -> str:
    if result.funnel is None:
        return ""
    raw = max(result.funnel.raw, 1)
    rows = []
    for step in result.funnel.steps:
        words = STAGES[step.name][1] if step.name in STAGES else ""
        reasons = "; ".join(f"{escape(reason)} {count:,}" for reason, count in list(step.reasons.items())[:5])
        rows.append(
            f'<tr><td><b>{escape(step.name)}</b> <small>{escape(words)}</small></td><td class="n">{step.kept:,}</td>'
            f'<td class="n">{step.kept / raw:.1%}</td><td class="wide">{share_bar(step.kept / raw)}</td>'
            f'<td class="n">{step.lost:,}</td><td><small>{reasons}</small></td></tr>'
        )
    gates = "".join(
        f'<div class="fact panel"><b>{share:.1%}</b><span>of the different molecules pass gate {gate}</span></div>'
        for gate, share in result.gates.items()
    )
    return (
        f'<div class="panel"><table class="funnel"><thead><tr><th>step</th><th class="n">left</th><th class="n">of raw'
        f'</th><th></th><th class="n">lost</th><th>most frequent reasons</th></tr></thead>'
        f'<tbody>{"".join(rows)}</tbody></table></div><div class="facts">{gates}</div>'
        "<p>Of approved drugs up to 700 g/mol 92, 91, 90, 77 and 55 % pass gates A to E, of ZINC molecules 99, 96, 96, "
        "90 and 89 %.</p>"
    )


def _nearest(result: Evaluation) -> str:
    if result.nearest is None:
        return ""
    own, control = result.nearest
    groups = [Bars("new molecules of the list", own), Bars("held-out molecules", control, "s2")]
    chart = histogram(
        groups,
        title="Similarity to the nearest training molecule",
        x_label="Tanimoto similarity (Morgan, radius 2)",
        x_range=(0.0, 1.0),
        bins=25,
    )
    pairs = "".join(map(_pair, result.pairs))
    words = (
        "Left each molecule of the list, right its nearest training molecule; the closest ones first, then typical "
        "ones. Orange marks what differs. Exact copies are counted above and not shown."
    )
    body = f'<p>{words}</p><div class="pairs">{pairs}</div>' if pairs else ""
    return f'<div class="two"><div class="panel">{chart}</div></div>{body}' if chart or body else ""


def _pair(pair: Pair) -> str:
    mol, other = read_smiles(pair.smiles), read_smiles(pair.nearest)
    if mol is None or other is None:
        return ""
    both = compare(mol, other) if pair.similarity >= 0.35 else None
    if both is None:
        left, right = svg(mol, _PICTURE), svg(other, _PICTURE)
    else:
        left = svg(both.mol, _PICTURE, both.changed)
        right = svg(both.reference, _PICTURE, both.reference_changed)
    return (
        f'<figure class="card"><figcaption>similarity {pair.similarity:.2f}</figcaption><div class="pair">'
        f'<div class="paper">{left}</div><div class="paper">{right}</div></div>'
        f'<p class="smiles">{escape(pair.smiles)}<br>{escape(pair.nearest)}</p></figure>'
    )


def _distributions(result: Evaluation) -> str:
    charts = []
    for key, (own, theirs) in result.distributions.items():
        groups = [Bars("list", own)]
        if theirs:
            groups.append(Bars("reference", theirs, "s2"))
        span, bins = _axis(own + theirs)
        label = PROPERTIES[key]
        chart = histogram(groups, title=label, x_label=label, x_range=span, bins=bins, size=(360, 200))
        charts.append(f'<div class="panel">{chart}</div>')
    return f'<div class="three">{"".join(charts)}</div>' if charts else ""


def _axis(values: list[float]) -> tuple[tuple[float, float] | None, int]:
    """Range and number of bars: one bar on each whole number where there are only whole ones, outliers in the last."""
    if not values:
        return None, 30
    ordered = sorted(values)
    cut = len(ordered) // 500
    low, high = ordered[cut], ordered[-1 - cut]
    if all(value == int(value) for value in values) and high - low < 40:
        return (low - 0.5, high + 0.5), int(high - low) + 1
    return ((low, high) if high > low else None), 30


def _curves(result: Evaluation) -> str:
    titles = {
        "unique": ("Different molecules among the first k", "share", (0.0, 1.02)),
        "scaffolds": ("Scaffold entropy of the first k different molecules", "nats", None),
    }
    charts = []
    for key, curves in result.curves.items():
        title, unit, span = titles[key]
        lines = [
            Line(label, curve.at, curve.values, f"s{i}") for i, (label, curve) in enumerate(curves, start=1)
        ]
        chart = line_chart(lines, title=title, x_label="k", y_label=unit, y_range=span)
        charts.append(f'<div class="panel">{chart}</div>')
    return f'<div class="two">{"".join(charts)}</div>' if charts else ""


def _bias(result: Evaluation) -> str:
    if not result.drifts:
        return ""
    rows = "".join(
        f"<tr><td>{escape(PROPERTIES.get(drift.name, drift.name))}</td>"
        f'<td class="n">{number(drift.mean)}</td><td class="n">{number(drift.reference_mean)}</td>'
        f'<td class="n">{drift.effect:+.2f}</td><td class="n">{drift.larger:.2f}</td>'
        f'<td class="n">{number(drift.spread)}</td><td>{drift.words}</td></tr>'
        for drift in result.drifts
    )
    shifts = "".join(
        f'<tr><td class="paper">{_drawing(shift.key)}</td><td class="n">{shift.share:.2%}</td>'
        f'<td class="n">{shift.reference_share:.2%}</td><td class="smiles">{escape(shift.key)}</td></tr>'
        for shift in result.scaffold_shifts
    )
    return (
        '<div class="two"><div class="panel"><h3>Properties</h3><table class="metrics"><thead><tr><th>property</th>'
        '<th class="n">mean</th><th class="n">reference</th><th class="n">effect (SD)</th><th class="n">P(larger)</th>'
        f'<th class="n">spread</th><th>shift</th></tr></thead><tbody>{rows}</tbody></table></div>'
        '<div class="panel"><h3>Scaffolds that became most frequent or rare</h3><table class="metrics"><thead><tr>'
        '<th></th><th class="n">list</th><th class="n">reference</th><th></th></tr></thead>'
        f"<tbody>{shifts}</tbody></table></div></div>"
    )


def _drawing(smiles: str) -> str:
    mol = read_smiles(smiles)
    return svg(mol, (110, 70)) if mol is not None else ""


def _origin(result: Evaluation) -> str:
    rows = [(key, str(value)) for key, value in result.settings.items()]
    rows += [(f"sha256 of the {key}", value) for key, value in result.inputs.items()]
    rows += [(f"CPU-seconds: {stage}", f"{seconds:g}") for stage, seconds in result.seconds.items()]
    lines = "".join(f"<tr><th>{escape(key)}</th><td>{escape(value)}</td></tr>" for key, value in rows)
    return f'<div class="panel"><table class="facts-table"><tbody>{lines}</tbody></table></div>'

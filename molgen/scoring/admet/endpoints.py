"""The 41 end points of ADMET-AI: what each means, its unit, what is wanted by default; pure data.

Names and units are those of ADMET-AI (Swanson et al., Bioinformatics 40 (2024) btae416), which has them from the
Therapeutics Data Commons. A probability is that of a classifier, not a share of patients or a potency.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Endpoint:
    """``curve``: default desirability. ``kind``: absorption, distribution, metabolism, excretion or toxicity."""

    name: str
    kind: str
    unit: str
    meaning: str
    curve: Mapping[str, Any]


_MORE = {"type": "linear", "low": 0, "high": 1}
_LESS = {"type": "reverse_linear", "low": 0, "high": 1}


def _rise(low: float, high: float) -> dict[str, Any]:
    return {"type": "sigmoid", "low": low, "high": high}


def _fall(low: float, high: float) -> dict[str, Any]:
    return {"type": "reverse_sigmoid", "low": low, "high": high}


def _window(low: float, high: float) -> dict[str, Any]:
    return {"type": "double_sigmoid", "low": low, "high": high}


def _p(name: str, kind: str, of: str, curve: Mapping[str, Any]) -> Endpoint:
    return Endpoint(name, kind, "", f"probability of {of}", curve)


_A, _D, _M, _E, _T = "absorption", "distribution", "metabolism", "excretion", "toxicity"
_TOX21 = "activity in the Tox21 assay of"

_ALL = [
    _p("HIA_Hou", _A, "absorption from the human intestine", _MORE),
    _p("Bioavailability_Ma", _A, "oral bioavailability of at least 20 %", _MORE),
    _p("PAMPA_NCATS", _A, "high passive permeability (PAMPA)", _MORE),
    _p("Pgp_Broccatelli", _A, "P-glycoprotein inhibition", _LESS),
    Endpoint("Solubility_AqSolDB", _A, "log10(mol/L)", "solubility in water", _rise(-6, -4)),
    Endpoint("Lipophilicity_AstraZeneca", _A, "log10", "logD at pH 7.4", _window(0, 4)),
    Endpoint("HydrationFreeEnergy_FreeSolv", _A, "kcal/mol", "hydration free energy", _window(-25, 0)),
    Endpoint("Caco2_Wang", _A, "log10(cm/s)", "permeability through Caco-2 cells", _rise(-5.5, -4.7)),
    _p("BBB_Martins", _D, "passing the blood-brain barrier", _MORE),
    Endpoint("PPBR_AZ", _D, "%", "share bound to plasma proteins", _fall(90, 99)),
    Endpoint("VDss_Lombardo", _D, "L/kg", "volume of distribution at steady state", _window(0.3, 10)),
    _p("CYP1A2_Veith", _M, "CYP1A2 inhibition", _LESS),
    _p("CYP2C19_Veith", _M, "CYP2C19 inhibition", _LESS),
    _p("CYP2C9_Veith", _M, "CYP2C9 inhibition", _LESS),
    _p("CYP2D6_Veith", _M, "CYP2D6 inhibition", _LESS),
    _p("CYP3A4_Veith", _M, "CYP3A4 inhibition", _LESS),
    _p("CYP2C9_Substrate_CarbonMangels", _M, "being turned over by CYP2C9", _LESS),
    _p("CYP2D6_Substrate_CarbonMangels", _M, "being turned over by CYP2D6", _LESS),
    _p("CYP3A4_Substrate_CarbonMangels", _M, "being turned over by CYP3A4", _LESS),
    Endpoint("Half_Life_Obach", _E, "h", "half-life in human plasma", _rise(2, 10)),
    Endpoint("Clearance_Hepatocyte_AZ", _E, "uL/min/10^6 cells", "clearance by hepatocytes", _fall(20, 60)),
    Endpoint("Clearance_Microsome_AZ", _E, "uL/min/mg", "clearance by microsomes", _fall(20, 60)),
    _p("hERG", _T, "blocking the hERG channel", _LESS),
    _p("ClinTox", _T, "failing in the clinic for toxicity", _LESS),
    _p("AMES", _T, "mutagenicity (Ames test)", _LESS),
    _p("DILI", _T, "drug-induced liver injury", _LESS),
    _p("Carcinogens_Lagunin", _T, "carcinogenicity in rodents", _LESS),
    Endpoint(
        "LD50_Zhu",
        _T,
        "log10(kg/mol)",
        "acute toxicity in rats, -log10 of LD50; more is more toxic",
        _fall(2.5, 3.5),
    ),
    _p("Skin_Reaction", _T, "skin sensitization", _LESS),
    _p("NR-AR", _T, f"{_TOX21} the androgen receptor", _LESS),
    _p("NR-AR-LBD", _T, f"{_TOX21} the androgen receptor's ligand domain", _LESS),
    _p("NR-AhR", _T, f"{_TOX21} the aryl hydrocarbon receptor", _LESS),
    _p("NR-Aromatase", _T, f"{_TOX21} aromatase inhibition", _LESS),
    _p("NR-ER", _T, f"{_TOX21} the estrogen receptor", _LESS),
    _p("NR-ER-LBD", _T, f"{_TOX21} the estrogen receptor's ligand domain", _LESS),
    _p("NR-PPAR-gamma", _T, f"{_TOX21} PPAR gamma", _LESS),
    _p("SR-ARE", _T, f"{_TOX21} the antioxidant response (Nrf2)", _LESS),
    _p("SR-ATAD5", _T, f"{_TOX21} DNA damage (ATAD5)", _LESS),
    _p("SR-HSE", _T, f"{_TOX21} the heat shock response", _LESS),
    _p("SR-MMP", _T, f"{_TOX21} the mitochondrial membrane potential", _LESS),
    _p("SR-p53", _T, f"{_TOX21} the p53 response", _LESS),
]

#: Name -> end point, in the order in which they are listed.
ENDPOINTS: Mapping[str, Endpoint] = {endpoint.name: endpoint for endpoint in _ALL}

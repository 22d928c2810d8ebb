"""Windows of properties that others have drawn around drugs, leads and fragments, each with its source."""

from __future__ import annotations

from molgen.chem.rules.groups import STUDY, Window

#: Group -> (its windows, source, how many of them may be left).
WINDOWS: dict[str, tuple[dict[str, Window], str, int]] = {
    "Lipinski": (
        {"mol_weight": (None, 500), "logp": (None, 5), "hbd": (None, 5), "hba": (None, 10)},
        "Lipinski et al., Adv. Drug Deliv. Rev. 23 (1997) 3",
        1,
    ),
    "Veber": (
        {"rotatable_bonds": (None, 10), "tpsa": (None, 140)},
        "Veber et al., J. Med. Chem. 45 (2002) 2615",
        0,
    ),
    "lead-like": (
        {"mol_weight": (200, 350), "logp": (-1, 3.5), "rotatable_bonds": (None, 7)},
        "after Teague et al., Angew. Chem. Int. Ed. 38 (1999) 3743",
        0,
    ),
    "CNS": (
        {
            "mol_weight": (None, 450),
            "logp": (1, 5),
            "hbd": (None, 3),
            "hba": (None, 7),
            "tpsa": (None, 90),
            "rotatable_bonds": (None, 8),
        },
        "after Pajouhesh and Lenz, NeuroRx 2 (2005) 541",
        0,
    ),
    "drug-like": (
        {"mol_weight": (150, 600), "rotatable_bonds": (None, 10)},
        STUDY,
        0,
    ),
    "Egan": (
        {"tpsa": (None, 131.6), "logp": (None, 5.88)},
        "Egan et al., J. Med. Chem. 43 (2000) 3867",
        0,
    ),
    # logP above 3 AND polar surface below 75 is what was found toxic: one of the two may be outside
    "Pfizer 3/75": (
        {"logp": (None, 3), "tpsa": (75, None)},
        "Hughes et al., Bioorg. Med. Chem. Lett. 18 (2008) 4872",
        1,
    ),
    "GSK 4/400": (
        {"logp": (None, 4), "mol_weight": (None, 400)},
        "Gleeson, J. Med. Chem. 51 (2008) 817",
        0,
    ),
    "rule of three": (
        {
            "mol_weight": (None, 300),
            "logp": (None, 3),
            "hbd": (None, 3),
            "hba": (None, 3),
            "rotatable_bonds": (None, 3),
            "tpsa": (None, 60),
        },
        "Congreve et al., Drug Discov. Today 8 (2003) 876",
        0,
    ),
    "REOS": (
        {
            "mol_weight": (200, 500),
            "logp": (-5, 5),
            "hbd": (None, 5),
            "hba": (None, 10),
            "formal_charge": (-2, 2),
            "rotatable_bonds": (None, 8),
            "heavy_atoms": (15, 50),
        },
        "property windows of Walters and Namchuk, Nat. Rev. Drug Discov. 2 (2003) 259",
        0,
    ),
    "beyond rule of five": (
        {
            "mol_weight": (None, 1000),
            "logp": (-2, 10),
            "hbd": (None, 6),
            "hba": (None, 15),
            "tpsa": (None, 250),
            "rotatable_bonds": (None, 20),
        },
        "Doak et al., Chem. Biol. 21 (2014) 1115",
        0,
    ),
}

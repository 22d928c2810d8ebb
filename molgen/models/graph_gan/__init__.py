"""Graph GAN: small molecules drawn in one shot as dense graphs, connected by construction, taught by a critic."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from molgen.core.schema import Section
from molgen.models.protocol import Family


class GraphGanParams(Section):
    """Architecture and objective of the graph GAN. The defaults are those of QM9 on one CPU core."""

    max_atoms: int = Field(
        9, ge=2, le=24, description="heavy atoms of the largest molecule; larger ones are left out"
    )
    noise: int = Field(48, ge=1, le=512, description="numbers in the noise vector")
    width: int = Field(384, ge=8, description="units of the generator's layers")
    blocks: int = Field(2, ge=1, description="residual blocks of the generator")
    critic_width: int = Field(64, ge=4, description="size of an atom's vector in the critic")
    critic_layers: int = Field(3, ge=1, description="message-passing layers of the critic")
    pac: int = Field(2, ge=1, le=8, description="molecules that the critic judges together (PacGAN)")
    estimator: Literal["straight_through", "rloo", "evolution"] = Field(
        "rloo",
        description="how the critic's word reaches the generator through the choice of atoms and bonds",
    )
    draws: int = Field(
        4, ge=2, description="graphs drawn at each noise vector (rloo), or directions (evolution)"
    )
    softness: float = Field(0.5, gt=0, description="temperature of the choices while training")
    warm_steps: int = Field(
        3400, ge=0, description="steps in which the generator first learns to rebuild molecules, as a decoder"
    )
    rebuild_weight: float = Field(
        0.1, ge=0, description="weight of rebuilding afterwards, beside the critic; 0: none"
    )
    kl_weight: float = Field(
        0.5, ge=0, description="weight of the divergence from the noise while rebuilding"
    )
    penalty: float = Field(0.1, ge=0, description="weight of the gradient penalties R1 and R2 of the critic")
    valence_weight: float = Field(0.3, ge=0, description="weight of the valence term")
    mode_seeking: float = Field(0.0, ge=0, description="weight of the mode-seeking term")
    rarity: float = Field(0.1, ge=0, description="bonus for graphs that were seldom drawn")
    reward: Literal["", "logp", "qed", "sa", "tpsa", "mw"] = Field(
        "", description="property that the generator is paid for, read by a network of its own"
    )
    reward_weight: float = Field(
        0.3, description="weight of that, in standard deviations; below 0: the less the better"
    )
    adversarial_rate: float = Field(
        0.6, gt=0, description="learning rate after the warm start, as a share of the schedule's"
    )
    look_every: int = Field(
        200, ge=1, description="steps between looks at the training's health, after the warm start"
    )
    ema: float = Field(
        0.999, ge=0, lt=1, description="decay of the averaged generator, which is the one that draws"
    )


FAMILY = Family(
    name="graph_gan",
    summary="graph GAN: molecules of at most 24 heavy atoms in one shot",
    builder="molgen.models.graph_gan.model:GraphGan",
    params=GraphGanParams,
    capabilities=frozenset({"encode", "decode"}),
    objective_params=frozenset(
        {
            *("estimator", "draws", "softness", "penalty", "adversarial_rate", "ema", "look_every"),
            *(
                "warm_steps",
                "rebuild_weight",
                "kl_weight",
                "valence_weight",
                "mode_seeking",
                "rarity",
                "reward_weight",
            ),
        }
    ),
)

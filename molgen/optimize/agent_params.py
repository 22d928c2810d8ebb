"""What a language-model agent is taught by: the parameters that `reinforce`, `hillclimb` and others share."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from molgen.core.schema import Section


class AgentParams(Section):
    """How a copy of the prior learns from scored strings (:class:`molgen.optimize.agent.Agent`)."""

    loss: Literal["augmented", "likelihood"] = Field(
        "augmented",
        description="augmented: towards the prior's likelihood plus sigma times the score; likelihood: make the "
        "strings that are shown likelier, whatever their score",
    )
    learning_rate: float = Field(5e-4, gt=0, description="Adam step size of the agent")
    sigma: float = Field(
        128.0, gt=0, description="nats that a total of 1 is worth against the prior's likelihood"
    )
    clip_norm: float = Field(50.0, gt=0, description="gradient norm is clipped to this")
    temperature: float = Field(1.0, gt=0, description="sampling temperature of the agent")
    share: float = Field(
        1.0,
        ge=0,
        le=1,
        description="best share of a step's own strings that is learned from; 0: only what enters the memory",
    )
    repeats: bool = Field(
        False, description="learn again from a molecule that was found before, each time it is drawn"
    )
    replay_size: int = Field(100, ge=0, description="best molecules remembered; 0 switches replay off")
    replay_sample: int = Field(16, ge=0, description="remembered molecules that are shown in each update")
    replay_weight: Literal["score", "rank"] = Field(
        "score", description="remembered molecules are chosen in proportion to their score, or by their rank"
    )
    replay_per_scaffold: int = Field(
        0, ge=0, description="remembered molecules of one Murcko scaffold at most; 0: no limit"
    )
    rounds: int = Field(0, ge=0, description="further updates in each step, on remembered molecules alone")
    randomize: Literal["none", "rooted", "random"] = Field(
        "none",
        description="spelling of the remembered molecules in the further updates: as drawn; canonical, but from "
        "another atom; or at random",
    )
    anchor: float = Field(
        0.0,
        ge=0,
        description="weight of the likelihood of the prior's own strings, KL(prior, agent): what the agent must not "
        "forget",
    )
    anchor_sample: int = Field(16, ge=1, description="strings of the prior in each update, if anchor > 0")


class SearchParams(AgentParams):
    """An agent that searches by itself, with what keeps it from drawing the same molecules for ever."""

    draws: int = Field(
        4,
        ge=1,
        description="at most that many draws for each proposal, the later ones hotter, to find molecules that are new",
    )
    restart: float = Field(
        0.1,
        ge=0,
        lt=1,
        description="share of new molecules among the draws of ten steps below which the agent becomes the prior "
        "again; 0: never",
    )


class ReinforceParams(SearchParams):
    """Policy optimization towards an augmented likelihood (Olivecrona et al. 2017; Guo and Schwaller 2024)."""

    replay_sample: int = Field(32, ge=0, description="remembered molecules that are shown in each update")
    rounds: int = Field(8, ge=0, description="further updates in each step, on remembered molecules alone")


class HillclimbParams(SearchParams):
    """Fine-tuning on the best molecules so far (Segler et al. 2018; Neil et al. 2018; Thomas et al. 2022)."""

    loss: Literal["augmented", "likelihood"] = Field(
        "likelihood",
        description="likelihood: the best molecules are made likelier; augmented: towards the prior's likelihood plus "
        "sigma times the score, from the best share of each step (augmented hill-climb)",
    )
    share: float = Field(
        0.0,
        ge=0,
        le=1,
        description="best share of a step's own strings that is learned from; 0: only what enters the memory",
    )
    replay_sample: int = Field(32, ge=0, description="remembered molecules that are shown in each update")
    replay_weight: Literal["score", "rank"] = Field(
        "rank", description="remembered molecules are chosen in proportion to their score, or by their rank"
    )
    rounds: int = Field(6, ge=0, description="further updates in each step, on remembered molecules alone")

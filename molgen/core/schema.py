"""The configuration schema: every key a user can write, its type, default, unit and meaning.

Pure data: nothing here imports torch or RDKit, so that ``molgen check`` and ``molgen --help`` are quick. The
descriptions are the manual: ``molgen new`` writes them as comments into the starter files. Names of scorers,
models and optimizers are plain strings here; whether they exist is the second pass (:func:`molgen.api.check`).
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from molgen.core import objective_schema
from molgen.core.objective_schema import ObjectiveConfig, Section
from molgen.core.stage_schema import StageConfig

ComponentConfig = objective_schema.ComponentConfig
TransformConfig = objective_schema.TransformConfig

#: Version of the configuration file format; raised when a key changes its meaning.
CONFIG_FORMAT = 1

#: The strategy of runs and benchmarks that name none.
DEFAULT_STRATEGY = "hybrid"


class DataConfig(Section):
    """An input file of molecules."""

    path: str = Field(
        description="CSV, TSV, SMI, SDF (also .gz), Parquet or XLSX file, or a name of `molgen data list`"
    )
    smiles_column: str | None = Field(
        None, description="default: guessed from the header and said in the log"
    )
    id_column: str | None = Field(None, description="column with your compound ids; default: guessed")
    policy: str = Field("default", description="standardization policy: default, flat (no stereo), none")


class TrainingData(DataConfig):
    """Molecules to train on, and measured values that the property head is taught."""

    labels: list[str] = Field(
        default_factory=list,
        description="columns with measured numbers, empty where not measured; for families with a property head",
    )


class DiversityConfig(Section):
    """Quotas: molecules of a scaffold or cluster that is full earn less, so that the search moves on."""

    kind: Literal["scaffold", "cluster"] = Field(
        "scaffold", description="what has a quota: Murcko scaffolds, or clusters of similar molecules (ECFP4)"
    )
    bucket_size: int = Field(25, ge=1, description="visits of a scaffold or cluster before it is full")
    min_score: float = Field(
        0.4, ge=0, le=1, description="only molecules at or above this total fill a bucket"
    )
    similarity: float = Field(
        0.5, gt=0, lt=1, description="clusters: Tanimoto to its first molecule that a member has at least"
    )
    strength: float = Field(
        1.0,
        gt=0,
        le=1,
        description="variety against score: share of the reward that a full bucket takes (1: all of it)",
    )


class OptimizerConfig(Section):
    """The optimization strategy."""

    name: str = Field(
        DEFAULT_STRATEGY,
        description="strategy: hybrid (fewest calls), reinforce (least CPU time), genetic, hillclimb, latent, random",
    )
    params: dict[str, Any] = Field(default_factory=dict, description="its parameters, see docs/optimizers.md")


class BudgetConfig(Section):
    """When the run ends; the first limit that is reached counts."""

    molecules: int = Field(5000, ge=1, description="distinct molecules scored (cache hits are free)")
    steps: int | None = Field(None, ge=1, description="optimization steps; default: no limit")
    minutes: float | None = Field(
        None, gt=0, description="wall-clock minutes of this process; default: no limit"
    )
    target: float | None = Field(
        None, ge=0, le=1, description="stop early when the mean total of a step reaches this; default: never"
    )
    patience: int | None = Field(
        None, ge=1, description="stop after this many steps without a better running mean; default: never"
    )


class TrackingConfig(Section):
    """MLflow mirrors the run folder; a dead server never ends a run."""

    mlflow: bool = Field(
        True, description="mirror the run into MLflow (MLFLOW_TRACKING_URI, else a local SQLite file)"
    )
    experiment: str = Field("molgen", description="MLflow experiment name")
    log_structures: bool = Field(
        False, description="send molecules to a remote tracking server (a local store always gets them)"
    )


class HazardsConfig(Section):
    """The hazard screen of everything that is ranked; what is switched off here stands in the report."""

    screen: bool = Field(
        True, description="false: nothing is withheld, and log, report and manifest say so loudly"
    )
    allow: list[str] = Field(
        default_factory=list, description="names of hazard classes that may be delivered, see docs/hazard.md"
    )


class OutputConfig(Section):
    """What is delivered at the end."""

    n: int = Field(100, ge=1, description="molecules in results/candidates.*")
    min_score: float = Field(0.0, ge=0, le=1, description="smallest total that is delivered")
    max_similarity: float = Field(
        1.0,
        gt=0,
        le=1,
        description="pick greedily so that no two delivered are more similar (ECFP4 Tanimoto) than this",
    )
    ranking: Literal["score", "pareto"] = Field(
        "score",
        description="order: by the total, or by Pareto front (and crowding) of the desirabilities, without weights",
    )
    select: Literal["top", "clusters", "maxmin"] = Field(
        "top",
        description="the best n; or the best of each cluster; or n that differ most (MaxMin) from a pool",
    )
    pool: int | None = Field(
        None, ge=1, description="how many of the best clusters and maxmin choose from; default: 5 n"
    )
    cluster_similarity: float = Field(
        0.4,
        gt=0,
        lt=1,
        description="ECFP4 Tanimoto to the center of its cluster that a molecule has (Butina)",
    )
    stereoisomers: int = Field(
        0,
        ge=0,
        le=64,
        description="stereoisomers to write of each delivered molecule that leaves some open, at most; "
        "into results/stereoisomers.*",
    )
    explain: int = Field(
        12, ge=0, description="best molecules whose atoms the report colors, for scorers that can explain"
    )
    references: DataConfig | None = Field(
        None,
        description="compounds to name the nearest of on each row, and not to deliver; default: the seeds, else "
        "the references of the objective",
    )
    hazards: HazardsConfig = HazardsConfig()  # type: ignore[call-arg]


class OptimizeConfig(Section):
    """`molgen optimize run.yaml`: generate molecules towards an objective."""

    format: Literal[1] = Field(1, description="version of this file format")
    kind: Literal["optimize"] = "optimize"
    name: str = Field(
        "run", pattern=r"^[A-Za-z0-9._-]+$", description="name of the run in tables and in MLflow"
    )
    seed: int = Field(1, ge=0, description="one seed for everything")
    model: str = Field("druglike", description="a shipped prior (molgen models list) or a model folder")
    device: str = Field("auto", description="auto, cpu, cuda or cuda:N")
    policy: str = Field("default", description="standardization policy of generated molecules")
    batch_size: int = Field(
        64,
        ge=1,
        description="molecules proposed per step at most; hybrid pays for optimizer.params.paid of them, 16",
    )
    workers: int = Field(1, ge=1, description="processes that score")
    seeds: DataConfig | None = Field(
        None, description="your own compounds to start from (never delivered as new)"
    )
    objective: ObjectiveConfig
    stages: list[StageConfig] = Field(
        default_factory=list,
        description="a curriculum: what is searched for first, one stage after the other, before the objective",
    )
    optimizer: OptimizerConfig = OptimizerConfig()  # type: ignore[call-arg]
    diversity: DiversityConfig | None = DiversityConfig()  # type: ignore[call-arg]
    budget: BudgetConfig = BudgetConfig()  # type: ignore[call-arg]
    output: OutputConfig = OutputConfig()  # type: ignore[call-arg]
    tracking: TrackingConfig = TrackingConfig()  # type: ignore[call-arg]
    checkpoint_every: int = Field(10, ge=1, description="steps between checkpoints")


class ModelConfig(Section):
    """Which network is trained."""

    family: str = Field("autoregressive", description="model family, see `molgen models list --families`")
    params: dict[str, Any] = Field(
        default_factory=dict, description="of the family; with base: what does not alter its network"
    )


class TrainerConfig(Section):
    """The one training loop of all families."""

    epochs: float = Field(10, gt=0, description="passes over the training set (fractions allowed)")
    minutes: float | None = Field(
        None, gt=0, description="stop after this much training time; the schedule follows it"
    )
    batch_size: int = Field(256, ge=1, description="molecules per step")
    learning_rate: float = Field(1e-3, gt=0, description="peak learning rate, reached after the warm-up")
    warmup: float = Field(0.02, ge=0, lt=1, description="share of the training spent warming up")
    final_learning_rate: float = Field(
        0.0, ge=0, le=1, description="end of the schedule, as a share of the peak"
    )
    weight_decay: float = Field(0.0, ge=0)
    clip_norm: float | None = Field(1.0, gt=0, description="gradient norm is clipped to this; null: off")
    precision: Literal["auto", "fp32", "bf16"] = Field(
        "auto", description="auto: bf16 where the device has it"
    )
    threads: int = Field(1, ge=1, description="torch threads")
    validate_every: int = Field(500, ge=1, description="steps between validations")
    checkpoint_minutes: float = Field(5.0, gt=0, description="minutes between checkpoints")
    patience: int | None = Field(
        None, ge=1, description="stop after this many validations without improvement"
    )
    sample_size: int = Field(
        500, ge=0, description="molecules sampled at each validation for valid/unique; 0: none"
    )


class UnlikelihoodConfig(Section):
    """Unlearning of the model's own broken strings while it trains (SMILES language models)."""

    weight: float = Field(
        1.0, gt=0, description="of the penalty beside the loss per molecule; much more bends the distribution"
    )
    samples: int = Field(256, ge=1, description="strings drawn at each step; the broken ones are pushed down")
    known_rings: bool = Field(
        False, description="a ring system that no public molecule of the shipped table has counts as broken"
    )


class TrainConfig(Section):
    """`molgen train run.yaml`: train a generator from molecules."""

    format: Literal[1] = Field(1, description="version of this file format")
    kind: Literal["train"] = "train"
    name: str = Field("model", pattern=r"^[A-Za-z0-9._-]+$", description="name of the model")
    seed: int = Field(1, ge=0)
    device: str = Field("auto", description="auto, cpu, cuda or cuda:N")
    data: list[TrainingData] = Field(min_length=1, description="training molecules")
    validation: TrainingData | None = Field(
        None, description="default: a random part of the data is held out"
    )
    holdout: float = Field(
        0.01, gt=0, lt=1, description="share held out for validation where no file is given"
    )
    randomize: bool = Field(False, description="a new random SMILES of each molecule in every epoch")
    base: str | None = Field(None, description="fine-tuning: the model to start from")
    unlikelihood: UnlikelihoodConfig | None = Field(
        None, description="push the model's own invalid strings down; best after a base has learned most"
    )
    model: ModelConfig = ModelConfig()  # type: ignore[call-arg]
    trainer: TrainerConfig = TrainerConfig()  # type: ignore[call-arg]
    tracking: TrackingConfig = TrackingConfig()  # type: ignore[call-arg]

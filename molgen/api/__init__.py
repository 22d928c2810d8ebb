"""The verbs of molgen as typed functions: the command line, the pipelines and the notebooks call only these.

Everything heavy is imported inside the functions, so that ``import molgen`` and ``molgen --help`` cost nothing.
All raise subclasses of :class:`molgen.core.errors.MolgenError`; what a message says, the user can act on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from molgen.api.active import measure
from molgen.api.configs import check, doctor, new, recipes_list, runs, scorers_list, track
from molgen.api.evaluation import benchmark, benchmark_queue, benchmark_so_far, evaluate
from molgen.api.files import data_fetch, data_import, data_list, data_prepare, read
from molgen.api.filter import filter_file, filter_molecules, filter_rules
from molgen.api.generation import load, models_families, models_list, models_show, models_verify, sample
from molgen.api.novelty import novelty
from molgen.api.qsar import qsar_load, qsar_predict, qsar_show, qsar_train
from molgen.api.ranking import rank
from molgen.api.search import demo, optimize, resume, score
from molgen.api.synthesis import routes
from molgen.api.training import finetune, train, train_prepare

if TYPE_CHECKING:  # what the verbs return, for those who annotate
    from molgen.benchmark.board import BoardResult as BoardResult
    from molgen.benchmark.result import BenchmarkResult as BenchmarkResult
    from molgen.metrics.evaluation import Evaluation as Evaluation
    from molgen.workflows.optimize import OptimizeResult as OptimizeResult
    from molgen.workflows.train import TrainResult as TrainResult

__all__ = [
    "benchmark",
    "benchmark_queue",
    "benchmark_so_far",
    "check",
    "data_fetch",
    "data_import",
    "data_list",
    "data_prepare",
    "demo",
    "doctor",
    "evaluate",
    "filter_file",
    "filter_molecules",
    "filter_rules",
    "finetune",
    "load",
    "measure",
    "models_families",
    "models_list",
    "models_show",
    "models_verify",
    "new",
    "novelty",
    "optimize",
    "qsar_load",
    "qsar_predict",
    "qsar_show",
    "qsar_train",
    "rank",
    "read",
    "recipes_list",
    "resume",
    "routes",
    "runs",
    "sample",
    "score",
    "scorers_list",
    "track",
    "train",
    "train_prepare",
]

"""Logging a model to MLflow from code: a script and a folder of data; nothing is pickled."""

from __future__ import annotations

import contextlib
import importlib
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from molgen.run.manifest import DISTRIBUTION, molgen_version
from molgen.run.mlflow_store import import_mlflow

#: Where the model is below the run: ``mlflow.pyfunc.load_model("runs:/<run id>/model")``.
MODEL_ARTIFACT = "model"


def log_model(
    client: Any,
    run_id: str,
    model_dir: Path | str,
    code: Path | str,
    params: Mapping[str, Any] | None = None,
) -> str:
    """Log ``model_dir`` with the script ``code`` that loads it; returns ``runs:/<run id>/model``.

    Args:
        client: an ``MlflowClient``.
        run_id: the MLflow run.
        model_dir: copied whole; the script finds it as ``context.artifacts["model"]``.
        code: a Python file that calls ``mlflow.models.set_model`` ("models from code").
        params: what ``predict(..., params=)`` accepts, with the defaults; their types are kept.

    Raises:
        Exception: whatever mlflow, or the script at import, raises.
    """
    mlflow = import_mlflow()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MLflow warns about its own classes, in yellow
        pyfunc = importlib.import_module("mlflow.pyfunc")
    from mlflow.models import ModelSignature
    from mlflow.types import ParamSchema, ParamSpec

    schema = ParamSchema(
        [ParamSpec(name, _mlflow_type(value), value) for name, value in (params or {}).items()]
    )
    version = molgen_version()
    with tempfile.TemporaryDirectory() as temporary, _without_the_call_for_an_input_example():
        path = Path(temporary) / MODEL_ARTIFACT
        # save_model and log_artifacts instead of mlflow.pyfunc.log_model: that one works on the global
        # tracking URI and the active run, which belong to the user's notebook.
        pyfunc.save_model(
            path=str(path),
            python_model=str(code),
            artifacts={"model": str(Path(model_dir).absolute())},
            signature=ModelSignature(params=schema) if params else None,
            # Stated, not inferred: MLflow would load the model in another process to find them out
            pip_requirements=[
                DISTRIBUTION if version == "unknown" else f"{DISTRIBUTION}=={version}",
                f"mlflow=={mlflow.__version__}",
            ],
        )
        client.log_artifacts(run_id, str(path), MODEL_ARTIFACT)
    return f"runs:/{run_id}/{MODEL_ARTIFACT}"


def _mlflow_type(value: Any) -> Any:
    from mlflow.types import DataType

    if isinstance(value, bool):
        return DataType.boolean
    if isinstance(value, int):
        return DataType.long
    return DataType.double if isinstance(value, float) else DataType.string


@contextlib.contextmanager
def _without_the_call_for_an_input_example() -> Iterator[None]:
    """Our signature is stated, an example would have to be sampled; all other warnings pass."""
    with warnings.catch_warnings(record=True) as caught:  # a filter would not do: MLflow sets its own
        warnings.simplefilter("always")
        yield
    for item in caught:
        if "input example was not provided" not in str(item.message):
            warnings.warn_explicit(item.message, item.category, item.filename, item.lineno)

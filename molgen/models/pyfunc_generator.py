"""The MLflow model of a generator, logged from code: this file and a model folder; nothing is pickled.

    model = mlflow.pyfunc.load_model("runs:/<run id>/model")
    model.predict(None, params={"n": 10, "seed": 7})      # DataFrame: smiles, nll

MLflow copies this file next to the model and runs it there: it may import only what is installed.
"""

from typing import Any

import mlflow
import mlflow.pyfunc
import pandas as pd

#: Parameters of ``predict`` and their defaults.
PARAMS: dict[str, Any] = {"n": 100, "seed": 1, "temperature": 1.0}


class GeneratorModel(mlflow.pyfunc.PythonModel):  # type: ignore[misc]
    """Samples from the model folder that was logged as the artifact ``model``."""

    def load_context(self, context: Any) -> None:
        """Load the generator; MLflow passes ``context`` by name."""
        import molgen as mg

        self._model = mg.load(context.artifacts["model"])

    # The hint DataFrame keeps MLflow from checking the input, which is not used, against a schema
    def predict(
        self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> pd.DataFrame:
        """``params["n"]`` distinct valid molecules: a DataFrame with ``smiles`` and ``nll`` (nats).

        ``model_input`` is ignored: the molecules come from the model alone. Same seed, same molecules.
        """
        chosen = {**PARAMS, **(params or {})}
        drawn = self._model.sample(
            int(chosen["n"]), seed=int(chosen["seed"]), temperature=float(chosen["temperature"]), quiet=True
        )
        return drawn.to_frame()


mlflow.models.set_model(GeneratorModel())

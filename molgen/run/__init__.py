"""The record of a run: folder, ledger, checkpoints, lock, signals, progress, MLflow; knows no chemistry."""

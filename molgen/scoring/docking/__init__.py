"""Docking with AutoDock Vina: receptor, ligand preparation, workers with a time limit, poses."""

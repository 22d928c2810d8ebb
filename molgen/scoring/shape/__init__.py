"""Likeness in space to a reference ligand: conformers, overlay, shape and pharmacophore."""

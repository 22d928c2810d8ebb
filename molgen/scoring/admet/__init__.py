"""ADMET-AI's models: 41 end points of absorption, distribution, metabolism, excretion and toxicity."""

"""Distributions over latent vectors, learned from the posterior means and variances of a training set."""

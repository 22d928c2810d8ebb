"""The strategy ``hybrid``: language model, genetic operators, pieces and latent space propose; a surrogate chooses."""

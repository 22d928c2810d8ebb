"""Training for every family: the one loop, and the store in which a trained model is a folder."""

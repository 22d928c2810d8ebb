"""What the adversarial families share: losses, packing, averaged weights, and how healthy a generator is."""

"""Pictures for the preset `handwriting`: augmented MNIST, synthetic digits, and pictures of no digit."""

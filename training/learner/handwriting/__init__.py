"""Pictures for the preset `handwriting`: MNIST bent and restyled, digits drawn anew, and what is no digit."""

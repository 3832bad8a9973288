"""Export an ended run to experiment trackers. Their libraries are optional: requirements-export.txt."""

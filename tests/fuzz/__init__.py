"""Readers of hostile bytes under coverage-guided fuzzing (`make fuzz`) and, in the tests, over its seeds and what it found."""

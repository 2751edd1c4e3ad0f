"""Single runs: judged, repeated, made smaller, explained, and walked in the model."""

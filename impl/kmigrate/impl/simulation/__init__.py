"""Choices, the event loop and the trace: what makes a run a function of its choice list."""

"""The chip: its measures and its memories."""

"""User processes that can be loaded into a cluster."""

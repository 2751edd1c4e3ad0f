"""Kernel state that stands in a cluster's memory."""

"""The servers of the I/O cluster."""

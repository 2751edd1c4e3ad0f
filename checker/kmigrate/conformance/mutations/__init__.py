"""Machines and judges that are wrong on purpose, and those that are right in another way."""

"""The specification: what must be true of process migration, written once.

Importing this package does not start a solver; `kmigrate.spec.language.trace` does.
"""

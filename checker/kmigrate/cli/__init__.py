"""The command line.

Exit codes, one table for every command: 0 holds, conforms; 1 violated, nonconformance; 2 wrong use or bad
input; 3 undetermined, or a gate missed; 4 uncontrolled nondeterminism.
"""

from kmigrate.cli.main import main

__all__ = ["main"]

"""What every test can rely on."""

import os

os.environ.pop("COLUMNS", None)
"""Output has the width it has in a pipe, whatever the terminal is or a worker of the suite thinks it is."""

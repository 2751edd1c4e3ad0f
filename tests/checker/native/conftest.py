"""What every test of the native engine needs: no machine code is left behind in the user's cache."""

import pytest


@pytest.fixture(autouse=True, scope="session")
def no_cache() -> object:
    patch = pytest.MonkeyPatch()
    patch.setenv("KMIGRATE_CACHE", "")
    yield None
    patch.undo()

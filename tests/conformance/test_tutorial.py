"""The tutorial of docs/campaigns.md does what it says: a user's own small protocol under the judge."""

import linecache
import re
from pathlib import Path
from typing import Any

import pytest

from kmigrate.conformance.plugin import DoesNotConform, assert_conforms

pytest_plugins = ["pytester"]

DOCUMENT = Path(__file__).parents[2] / "docs" / "campaigns.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```$", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def tutorial() -> dict[str, Any]:
    source = "\n\n".join(BLOCKS[:-1])
    name = "campaigns_tutorial.py"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    names: dict[str, Any] = {"__name__": "campaigns_tutorial"}
    exec(compile(source, name, "exec", dont_inherit=True), names)
    return names


def test_the_post_conforms(tutorial: dict[str, Any]) -> None:
    actions = assert_conforms(tutorial["PostPair"]())
    assert actions["finish"] == 200
    assert actions["lose"] > 0


def test_a_forgetful_addressee_is_found_out_as_the_page_says(tutorial: dict[str, Any]) -> None:
    with pytest.raises(DoesNotConform) as raised:
        assert_conforms(tutorial["PostPair"](forgetful=True))
    finding = raised.value.outcome.finding
    assert finding is not None
    assert finding.differences == (("counted", "1", "2"),)
    assert str(finding) in DOCUMENT.read_text(encoding="utf-8")


def test_a_sender_without_a_timer_is_found_out_at_the_end(
    tutorial: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    patient = tutorial["Post"]
    send = patient.send

    def send_once(self: Any) -> Any:
        event = send(self)
        for pending in self.loop.pending:
            if pending.label == "timer":
                self.loop.withdraw(pending)
        return event

    monkeypatch.setattr(patient, "send", send_once)
    with pytest.raises(DoesNotConform, match="end undone"):
        assert_conforms(tutorial["PostPair"]())


def test_the_plugin_gives_tests_a_fixture_and_two_options(pytester: pytest.Pytester) -> None:
    pytester.makeconftest('pytest_plugins = ["kmigrate.conformance.plugin"]')
    pytester.makepyfile("\n\n".join(BLOCKS))
    pytester.runpytest_inprocess("-p", "no:cacheprovider").assert_outcomes(passed=1)
    few = pytester.runpytest_inprocess("-p", "no:cacheprovider", "--campaign-traces", "7")
    few.assert_outcomes(failed=1)

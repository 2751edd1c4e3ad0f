"""A counterexample is believed when the plain text walks it, and a forged one is not."""

from dataclasses import replace

import pytest

from kmigrate.checker import Report, Trace, Violated, check
from kmigrate.checker.confirm import confirmed
from kmigrate.checker.verdict import Answer
from kmigrate.spec.examples.philosophers import Philosophers
from kmigrate.spec.freeze import PublishedFreeze
from kmigrate.spec.language import Model, action, leads_to, require, strongly_fair, variable, weakly_fair
from kmigrate.spec.protocol import Hardened, Published


def violated(report: Report) -> list[Answer]:
    return [answer for answer in report.answers if isinstance(answer.verdict, Violated)]


@pytest.mark.parametrize("engine", ["native", "interpret"])
@pytest.mark.parametrize(
    "model",
    [Published(clusters=2), PublishedFreeze(threads=1, cores=1), Philosophers()],
    ids=lambda m: type(m).__name__,
)
def test_every_counterexample_is_confirmed(model: Model, engine: str) -> None:
    found = violated(check(model, engine=engine))
    assert found
    assert all(confirmed(answer) for answer in found)


def forged(answer: Answer, trace: Trace) -> Answer:
    return replace(answer, verdict=Violated(trace))


def test_a_forged_counterexample_is_not_confirmed() -> None:
    report = check(Published(clusters=2))
    answer = report.answer("no_process_lost")
    assert isinstance(answer.verdict, Violated)
    trace = answer.verdict.trace
    assert not confirmed(forged(answer, replace(trace, steps=trace.steps[:-1])))  # ends too early
    assert not confirmed(forged(answer, replace(trace, steps=trace.steps[1:])))  # begins in the middle
    assert not confirmed(forged(answer, replace(trace, start=trace.end, steps=())))  # begins nowhere
    assert not confirmed(replace(report.answer("deadlock"), verdict=answer.verdict))  # something is enabled there
    assert not confirmed(replace(report.answer("every_request_ends"), verdict=Violated(replace(trace, steps=()))))


def test_an_answer_without_a_counterexample_cannot_be_confirmed() -> None:
    report = check(Hardened(clusters=2, processes=1, attempts=1))
    with pytest.raises(ValueError, match="there is no counterexample"):
        confirmed(report.answers[0])


class Lamp(Model):
    """A lamp that can be lit, and a hand that may play with the curtain for ever."""

    lit: bool = variable("it burns", of=bool, init=False)
    drawn: bool = variable("the curtain is drawn", of=bool, init=False)

    @action
    def play(self) -> None:
        """Draw the curtain, or open it."""
        self.drawn = not self.drawn

    @action
    def light(self) -> None:
        """Light the lamp, while the curtain is open."""
        require(not self.drawn and not self.lit)
        self.lit = True

    def burns(self) -> bool:
        """Whether the lamp burns."""
        return self.lit

    @leads_to("light", to=burns)
    def dark(self) -> bool:
        """It does not stay dark."""
        return not self.lit


class Weak(Lamp):
    """Lighting is weakly fair."""

    light = weakly_fair(Lamp.light)


class Strong(Lamp):
    """Lighting is strongly fair: the lasso of the others is no counterexample here."""

    light = strongly_fair(Lamp.light)


def test_a_lasso_is_believed_only_if_it_is_fair() -> None:
    answer = check(Lamp()).answer("dark")
    assert isinstance(answer.verdict, Violated)
    assert confirmed(answer)
    weak = check(Weak()).answer("dark")
    assert isinstance(weak.verdict, Violated)
    assert confirmed(weak)
    assert confirmed(forged(weak, replace(weak.verdict.trace, model=Weak())))
    assert not confirmed(forged(weak, replace(weak.verdict.trace, model=Strong())))

"""The machine's time explains the measurements that ship with the package, with few fitted numbers."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

from kmigrate.impl.errors import BadConfiguration
from kmigrate.impl.experiments.calibration import FITTED, calibrate, measured, predict
from kmigrate.impl.simulation.timing import PARAMETERS, Origin, Timing


def test_the_measurements_are_twenty_cells_of_twenty_runs() -> None:
    found = measured()
    assert len(found) == 20
    assert {cell.runs for cell in found} == {20}
    assert {(cell.threads, cell.pages) for cell in found} >= {(1, 0), (15, 32), (17, 16)}
    assert all(abs(cell.median_cycles - cell.mean_cycles) < cell.stdev_cycles for cell in found)


def test_the_shipped_numbers_explain_every_measured_cell() -> None:
    seen: list[tuple[int, int]] = []
    fit = predict(progress=lambda done, total: seen.append((done, total)))
    assert fit.timing == Timing()
    assert fit.mean_error <= 0.005
    assert fit.worst_error <= 0.015
    assert abs(np.mean(fit.errors)) < 0.002, "no leaning to one side"
    assert seen == [(done, 20) for done in range(1, 21)]


def test_every_parameter_has_an_origin_and_at_most_eight_are_fitted() -> None:
    assert list(PARAMETERS) == [field.name for field in fields(Timing)]
    assert {name for name, (origin, _) in PARAMETERS.items() if origin is Origin.FITTED} == set(FITTED)
    assert len(FITTED) <= 8
    assert all(what for _, what in PARAMETERS.values())


@pytest.mark.parametrize("field", [field.name for field in fields(Timing)])
def test_a_time_that_runs_backwards_is_refused(field: str) -> None:
    with pytest.raises(BadConfiguration, match=field):
        replace(Timing(), **{field: -1})


@pytest.mark.campaign
def test_a_fit_from_elsewhere_comes_to_the_same_predictions() -> None:
    fit = calibrate(replace(Timing(), dispatch_cycles=12_000, piece_cycles=130_000, passed_cycles=300), rounds=1)
    assert fit.mean_error <= 0.005
    assert fit.worst_error <= 0.015
    assert fit.timing.tick_cycles == pytest.approx(Timing().tick_cycles, rel=0.01)
    assert fit.timing.dispatch_cycles == pytest.approx(Timing().dispatch_cycles, rel=0.1)

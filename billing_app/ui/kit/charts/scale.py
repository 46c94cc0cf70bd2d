"""The unit of an axis: large enough that its figures stay short."""

from __future__ import annotations

from dataclasses import dataclass

from billing_app.domain.catalogue.model import Metric
from billing_app.domain.catalogue.quantities import reading


@dataclass(frozen=True, slots=True)
class Scale:
    """Heights are quantities divided by `step`; `unit` is empty for counts."""

    step: int
    unit: str

    def height(self, quantity: int) -> float:
        """For drawing only: nothing is stored or compared as a float."""
        return quantity / self.step


def scale_for(metric: Metric, largest: int) -> Scale:
    """The scale on which `largest` reads well: its own unit if that is larger than the display unit, else that."""
    figure = reading(largest, metric)
    step = metric.factor
    if figure.unit and figure.unit != metric.display_unit and largest >= metric.factor:
        while largest >= step * 1000:
            step *= 1000
        return Scale(step, figure.unit)
    return Scale(step, "" if metric.counts else metric.display_unit)

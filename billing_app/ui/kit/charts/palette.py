"""The Radix colours that charts need, as hex: Plotly knows no CSS variables."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Palette:
    """One appearance: greys of slate, warnings, and the panel that the chart lies on."""

    dark: bool
    panel: str
    grid: str
    band: str
    zero: str
    quiet: str
    text: str
    red: str
    red_text: str
    amber: str
    amber_text: str


LIGHT = Palette(
    dark=False,
    panel="#ffffff",
    grid="#e8e8ec",
    band="#f0f0f3",
    zero="#b9bbc6",
    quiet="#60646c",
    text="#1c2024",
    red="#e5484d",
    red_text="#ce2c31",
    amber="#ffc53d",
    amber_text="#ab6400",
)
DARK = Palette(
    dark=True,
    panel="#18191b",
    grid="#272a2d",
    band="#212225",
    zero="#5a6169",
    quiet="#b0b4ba",
    text="#edeef0",
    red="#e5484d",
    red_text="#ff9592",
    amber="#ffc53d",
    amber_text="#ffca16",
)


@dataclass(frozen=True, slots=True)
class Hues:
    """A metric's colours: `plan` is step 7, `credits` step 9, `fill` the ground under a line (a3 on the panel)."""

    plan: str
    credits: str
    fill: str


HUES: dict[str, tuple[Hues, Hues]] = {
    "blue": (Hues("#8ec8f6", "#0090ff", "#e6f4fe"), Hues("#205d9e", "#0090ff", "#0d2847")),
    "jade": (Hues("#8bceb6", "#29a383", "#e6f7ed"), Hues("#246854", "#29a383", "#0f2e22")),
    "purple": (Hues("#d1afec", "#8e4ec6", "#f7edfe"), Hues("#664282", "#8e4ec6", "#301c3b")),
    "brown": (Hues("#dcbc9f", "#ad7f58", "#f6eee7"), Hues("#614a39", "#ad7f58", "#28211d")),
    "pink": (Hues("#e7acd0", "#d6409f", "#fee9f5"), Hues("#833869", "#d6409f", "#37172f")),
    "cyan": (Hues("#7dcedc", "#00a2c7", "#def7f9"), Hues("#12677e", "#00a2c7", "#082c36")),
    "gold": (Hues("#cbb99f", "#978365", "#f2f0e7"), Hues("#5f5443", "#978365", "#24231f")),
}
"""Light and dark of every hue that a catalogue may name: five for the shipped catalogue, and two free ones."""


def palette(*, dark: bool) -> Palette:
    """The greys of an appearance."""
    return DARK if dark else LIGHT


def hues(hue: str, *, dark: bool) -> Hues:
    """The colours of a metric; an unknown hue is drawn in blue."""
    return HUES.get(hue, HUES["blue"])[1 if dark else 0]

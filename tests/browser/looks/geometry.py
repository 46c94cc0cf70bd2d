"""What a page looks like to somebody who measures it: nothing over anything, nothing cut, every control in reach."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page

WIDTHS = (1920, 1280, 1024, 900, 768, 600, 390, 360)
"""In pixels: wide screens, laptops, tablets upright and across, phones."""

QUESTIONS = Path(__file__).with_name("geometry.js").read_text(encoding="utf-8")


def asked(page: Page, question: str) -> list[str]:
    """What the page answers to a question of geometry.js: sentences about what is wrong with it as it stands."""
    return page.evaluate(f"() => {{ {QUESTIONS}; return {question}() }}")


def settled(page: Page) -> None:
    """Waits until drawings have taken the size of their place; one that never does is a finding, not a wait."""
    asked(page, "settled")


def resized(page: Page, width: int) -> None:
    """The page at another width, drawn anew."""
    _drawn(page, width)
    settled(page)


def _drawn(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 844 if width <= 720 else 900})


def wrong_when(page: Page, width: int) -> list[str]:
    """What is wrong with the page at another width, in one question: most of a look's time was asking."""
    _drawn(page, width)
    return asked(page, "looked")


def wrong_at(page: Page) -> list[str]:
    """What is wrong with the page as it stands: what lies over what, is cut, or can't be clicked at its middle."""
    return [*asked(page, "measures"), *asked(page, "hits")]

"""What a first look costs: bytes over the wire, and what has to come one after the other. No time is measured."""

from __future__ import annotations

import pytest
from playwright.sync_api import WebSocketRoute

from tests.browser.people import FELIX, LARKFIELD, OPERATOR, Person, Watch, arrives

MOST_BYTES = 600_000
"""Of all that a browser that was never here loads until the overview stands whole, its chart included; as sent."""

DRAWING = "**/assets/plotly*.js"

SCRIPTS = """performance.getEntriesByType("resource").filter(each => each.name.includes("/assets/"))
    .map(each => [each.name, each.transferSize])"""
"""What the page took of what is built, with the bytes over the wire: none for what the browser had."""


def loaded(person: Person, path: str) -> dict[str, int]:
    """Opens a page and gives the bytes of every answer, with its head."""
    page = person.context.new_page()
    inside = person.context.new_cdp_session(page)
    urls: dict[str, str] = {}
    sizes: dict[str, int] = {}
    inside.on("Network.responseReceived", lambda event: urls.update({event["requestId"]: event["response"]["url"]}))
    inside.on("Network.loadingFinished", lambda event: sizes.update({event["requestId"]: event["encodedDataLength"]}))
    inside.send("Network.enable")
    page.goto(path)
    arrives(page)
    page.wait_for_load_state("networkidle")
    return {url: sizes[request] for request, url in urls.items() if request in sizes}


@pytest.mark.parametrize(("who", "path"), [(FELIX, LARKFIELD), (OPERATOR, "/admin/organizations")])
def test_the_first_page_is_light(watch: Watch, who: str, path: str) -> None:
    found = loaded(watch.signed_in(who), path)
    assert len(found) > 10
    assert sum(found.values()) <= MOST_BYTES, sorted(found.items(), key=lambda one: -one[1])[:12]
    assert any("plotly" in url for url in found) is (who == FELIX)


def test_who_was_here_before_asks_for_no_script_again(watch: Watch) -> None:
    person = watch.signed_in(FELIX)
    loaded(person, LARKFIELD)
    page = person.context.new_page()
    page.goto(LARKFIELD)
    arrives(page)
    scripts = page.evaluate(SCRIPTS)
    assert len(scripts) > 10
    assert [name for name, size in scripts if size] == []


def test_the_chart_is_loaded_beside_its_numbers_and_not_after_them(watch: Watch) -> None:
    page = watch.signed_in(FELIX).context.new_page()
    held: list[WebSocketRoute] = []
    page.route_web_socket("**/_event/**", lambda socket: held.append(socket))  # nobody answers: no number ever comes
    with page.expect_response(DRAWING):
        page.goto(LARKFIELD)
    assert page.locator("[aria-busy]").count() == 1


SHIFTED = """() => new Promise(done => {
    let sum = 0;
    new PerformanceObserver(list => { for (const each of list.getEntries()) sum += each.value; })
        .observe({ type: "layout-shift", buffered: true });
    requestAnimationFrame(() => setTimeout(() => done(sum), 100));
})"""

PANELS = """() => [...document.querySelectorAll("main .panel")].filter(each => each.checkVisibility()).map(each => {
    const { left, top, width, height } = each.getBoundingClientRect();
    return [left, top, width, height];
})"""

NEAR = 24
"""Pixels: what a legend's second line takes."""


@pytest.mark.parametrize("width", [1280, 1024, 768, 390])
def test_the_skeleton_has_the_shape_of_what_comes(watch: Watch, width: int) -> None:
    context = watch.signed_in(FELIX, viewport={"width": width, "height": 900}).context
    before, after = context.new_page(), context.new_page()
    held: list[WebSocketRoute] = []
    before.route_web_socket("**/_event/**", lambda socket: held.append(socket))
    before.goto(LARKFIELD)
    before.locator("[aria-busy] .panel").first.wait_for()
    after.goto(LARKFIELD)
    arrives(after)
    assert after.evaluate(SHIFTED) < 0.01
    grey, real = (page.evaluate(PANELS) for page in (before, after))
    assert len(grey) == len(real) == 3
    below = real[0][1] - grey[0][1]  # under a banner, of which nobody knows before
    for (left, top, wide, _), (x, y, w, _) in zip(grey, real, strict=True):
        assert (left, wide) == (x, w)
        assert abs(y - below - top) <= NEAR, (grey, real)

"""That every other test here fails when a page violates its Content-Security-Policy: the listener is heard."""

from __future__ import annotations

import pytest

from tests.browser.people import PATIENCE_MS, Watch, goes

VIOLATIONS = {
    "script-src": "setTimeout('window.evaluated = true')",
    "img-src": "document.body.append(Object.assign(new Image(), {src: 'https://elsewhere.example/a.png'}))",
    "connect-src": "void fetch('https://elsewhere.example/').catch(() => {})",
    "style-src": "document.head.append(Object.assign(document.createElement('link'), "
    "{rel: 'stylesheet', href: 'https://elsewhere.example/a.css'}))",
}


@pytest.mark.parametrize("directive", VIOLATIONS)
def test_a_violation_is_noticed_and_names_its_directive(watch: Watch, directive: str) -> None:
    page = watch.browser().new_page()
    goes(page, "/sign-in")
    assert watch.wrong == []
    with page.expect_console_message(lambda message: directive in message.text, timeout=PATIENCE_MS):
        page.evaluate(VIOLATIONS[directive])
    assert [each for each in watch.wrong if each.startswith("violates its policy") and directive in each]
    assert page.evaluate("window.evaluated") is None
    watch.wrong.clear()


def test_what_a_page_says_otherwise_is_no_violation(watch: Watch) -> None:
    page = watch.browser().new_page()
    goes(page, "/sign-in")
    with page.expect_console_message(lambda message: message.text == "a word"):
        page.evaluate("console.error('a word')")
    assert watch.wrong == []

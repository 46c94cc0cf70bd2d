"""/new-organization: a signed-in person makes an organization, and is its first admin."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import reflex as rx

from billing_app.domain.common.errors import BillingError, UnauthenticatedError
from billing_app.services.access import sessions
from billing_app.services.common import places
from billing_app.services.organizations import create
from billing_app.services.overview import frame
from billing_app.ui import routes
from billing_app.ui.access import transactions
from billing_app.ui.access.session import MAX_TEXT, public
from billing_app.ui.access.transactions import PersonContext
from billing_app.ui.frame.layout import bare_page, signed_in_as
from billing_app.ui.kit.basics import button_link, lucide
from billing_app.ui.kit.records import Choice

REGIONS = ("Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")
"""Of the time zone database: what is outside of these is old names and offsets."""

UTC = "UTC"


@lru_cache
def countries() -> tuple[Choice, ...]:
    """Every country with its two letters, by name."""
    return tuple(Choice(code, name) for code, name in sorted(places.countries().items(), key=lambda item: item[1]))


@lru_cache
def time_zones() -> tuple[Choice, ...]:
    """UTC first, then every place of the database as "Europe/Lisbon", by region."""
    chosen = sorted(zone for zone in places.zones() if zone.split("/")[0] in REGIONS and "/" in zone)
    return (Choice(UTC, UTC), *(Choice(zone, zone.replace("_", " ")) for zone in chosen))


FIELDS = {"invalid_name": "name", "invalid_address": "address", "address_taken": "address"}
"""Which field a refusal is about; `invalid_profile` says it itself."""


class CreateOrganizationState(rx.State):
    """What the form shows. What is typed stays in the browser until it is sent."""

    ready: bool = False
    email: str = ""
    why_not: str = ""
    home_href: str = ""
    prefix: str = ""
    proposed: str = ""
    refused: str = ""
    wrong: str = ""
    """The field that `refused` is about."""

    @public("shows the form; whoever the cookie names is told only about themselves")
    async def open(self) -> Any:
        """Who is at the form; who is not signed in is asked to."""
        self.reset()
        try:
            person, why_not, home, public_url = await transactions.read(self, whoever_asks)
        except UnauthenticatedError:
            return rx.redirect(routes.sign_in(routes.NEW_ORGANIZATION))
        self.email, self.why_not = person, why_not
        self.home_href = routes.overview(home) if home else ""
        self.prefix = f"{public_url.rstrip('/')}/o/".partition("://")[2]
        self.ready = True
        return None

    @public("proposes an address of a typed name to whoever the cookie names; tells what creating it would tell")
    async def propose(self, name: str) -> None:
        """What the address will be if none is typed."""
        try:
            self.proposed = await transactions.read(
                self, lambda at: create.proposed(at.session, at.identity, _text(name))
            )
        except BillingError:
            self.proposed = ""

    @public("makes an organization for whoever the cookie names, as POST /organizations does")
    async def create_organization(self, form: dict) -> Any:
        """Makes it and goes there; what is refused is said beside its field."""
        fields = {str(key): _text(value) for key, value in form.items()} if isinstance(form, dict) else {}
        self.refused = self.wrong = ""
        try:
            address = await transactions.write(
                self, lambda at: create.found_typed(at.session, at.identity, fields, at.now).address
            )
        except UnauthenticatedError:
            return rx.redirect(routes.sign_in(routes.NEW_ORGANIZATION))
        except BillingError as error:
            self.refused = error.detail
            self.wrong = FIELDS.get(error.code, str(error.fields.get("field", "")))
            return None
        return rx.redirect(routes.overview(address))


def whoever_asks(at: PersonContext) -> tuple[str, str, str, str]:
    """Who is at the form, why they may make none, an organization of theirs, and where the console is."""
    person = sessions.require_signed_in(at.identity)
    home = frame.home(at.session, person) or ""
    return person.email, create.why_not(at.session, person), home, at.settings.public_url


def _text(value: Any) -> str:
    return value[:MAX_TEXT] if isinstance(value, str) else ""


def create_organization_page() -> rx.Component:
    """The page."""
    return bare_page(
        rx.el.h1("New organization"),
        rx.cond(
            CreateOrganizationState.ready,
            rx.cond(
                CreateOrganizationState.why_not == "",
                _form(),
                rx.el.p(CreateOrganizationState.why_not, class_name="quiet", role="alert"),
            ),
            rx.el.p("One moment", class_name="quiet", aria_busy="true"),
        ),
        rx.cond(
            CreateOrganizationState.home_href != "",
            button_link("Back to my organization", href=CreateOrganizationState.home_href, class_name="wide"),
        ),
        signed_in_as(CreateOrganizationState.email),
    )


def _form() -> rx.Component:
    return rx.el.form(
        rx.el.p("It begins with the plan that costs nothing. You are its first admin.", class_name="quiet"),
        rx.cond(
            (CreateOrganizationState.refused != "") & (CreateOrganizationState.wrong == ""), _refusal("form-error")
        ),
        _field(
            "Name",
            "name",
            rx.el.input(
                name="name",
                id="name",
                auto_complete="organization",
                required=True,
                max_length=200,
                auto_focus=True,
                on_blur=CreateOrganizationState.propose,
                class_name="input large",
                **_marked("name"),
            ),
        ),
        _field("Address", "address", _address(), note="Where its pages are. It stays for ever."),
        _field(
            "Type",
            "type",
            rx.el.input(
                name="type",
                id="type",
                placeholder="company, association, city",
                max_length=100,
                class_name="input large",
                **_marked("type"),
            ),
        ),
        rx.el.div(
            _field("Country", "country", _select("country", countries(), "", "Not said")),
            _field("Time zone", "timezone", _select("timezone", time_zones(), UTC)),
            class_name="two-fields",
        ),
        rx.button("Create organization", type="submit", size="3", class_name="button primary wide"),
        on_submit=CreateOrganizationState.create_organization,
        class_name="form",
    )


def _address() -> rx.Component:
    return rx.el.span(
        rx.el.span(CreateOrganizationState.prefix, aria_hidden="true", class_name="prefix"),
        rx.el.input(
            name="address",
            id="address",
            placeholder=rx.cond(
                CreateOrganizationState.proposed != "", CreateOrganizationState.proposed, "made of the name"
            ),
            auto_complete="off",
            auto_capitalize="none",
            spell_check=False,
            max_length=64,
            **_marked("address"),
        ),
        class_name="input large prefixed",
    )


def _select(name: str, choices: Any, chosen: str, none: str = "") -> rx.Component:
    options = [rx.el.option(each.label, value=each.value) for each in choices]
    if none:
        options.insert(0, rx.el.option(none, value=""))
    return rx.el.select(*options, name=name, id=name, default_value=chosen, class_name="input large", **_marked(name))


def _field(label: str, name: str, control: rx.Component, note: str = "") -> rx.Component:
    return rx.el.div(
        rx.el.label(label, html_for=name),
        control,
        rx.cond(
            CreateOrganizationState.wrong == name,
            _refusal("field-error", name),
            rx.el.small(note, id=f"{name}-note") if note else rx.fragment(),
        ),
        class_name="field",
    )


def _refusal(class_name: str, name: str = "form") -> rx.Component:
    return rx.el.p(
        lucide("circle-alert", 16),
        rx.el.span(CreateOrganizationState.refused),
        role="alert",
        id=f"{name}-refusal",
        class_name=class_name,
    )


def _marked(name: str) -> dict[str, Any]:
    """Tells who cannot see it which field is wrong, and why."""
    return {
        "aria_invalid": rx.cond(CreateOrganizationState.wrong == name, "true", "false"),
        "aria_describedby": rx.cond(CreateOrganizationState.wrong == name, f"{name}-refusal", f"{name}-note"),
    }

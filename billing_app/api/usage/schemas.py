"""Reporting usage, asking before an action, consume and reservations. Quantities are in the metric's base unit."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    RootModel,
    SkipValidation,
    StringConstraints,
    Tag,
    TypeAdapter,
    WrapValidator,
)

from billing_app.api.common.schemas import MAX_TEXT, VISIBLE, WHOLE, Answer, Moment, Name, Quantity, Request, Text
from billing_app.services.limits.permissions import Permission
from billing_app.services.usage.batches import MAX_CONSUMES
from billing_app.services.usage.consumption import DEFAULT_TIMEOUT_S, MAX_TIMEOUT_S, Mode
from billing_app.services.usage.entitlements import BlockingAnswer
from billing_app.services.usage.reporting import MAX_BATCH

MAX_METRICS = 100
"""Metrics that one question may name; more than any catalogue has."""


class UsageEvent(Request):
    """Something that was used. `id` is yours, once per event: sending it again changes nothing.

    `quantity` is in base units and may be left out with a `subject` (1); `at` may be left out (now).
    """

    id: Text
    metric: Name
    quantity: Quantity | None = None
    subject: Text | None = None
    at: Moment | None = None


class UsageBatch(Request):
    """Up to 1 000 events of one organization."""

    events: Annotated[list[UsageEvent], Field(min_length=1, max_length=MAX_BATCH)]


LINES = "application/x-ndjson"
"""Events, each a line of JSON."""


class Batch(Request):
    """The same as it is read: each event by itself, in billing_app.domain.usage.reported."""

    events: Annotated[list[Any], Field(min_length=1, max_length=MAX_BATCH)]


Half = Annotated[str, StringConstraints(min_length=1, max_length=MAX_TEXT // 2, pattern=VISIBLE)]
"""Source and id of a CloudEvent are kept as one key of at most 255 characters."""

Source = Annotated[str, StringConstraints(min_length=1, max_length=MAX_TEXT // 2, pattern=r"^[^\x00-\x20\x7f]+$")]
"""A URI reference. It has no blank, so that the pair stays apart in one key."""


class CloudEventData(Request):
    """The payload of a usage event as a CloudEvent."""

    quantity: Quantity | None = None


class CloudEvent(BaseModel):
    """A CloudEvent 1.0 that reports usage: `type` is the metric, `subject` what is counted, `time` when.

    Its identity is `source` and `id` together, as the CloudEvents specification says. Other attributes are ignored.
    """

    model_config = ConfigDict(extra="ignore")

    specversion: Literal["1.0"]
    id: Half
    source: Source
    type: Name
    subject: Text | None = None
    time: Moment | None = None
    data: CloudEventData | None = None


class CloudEventBatch(RootModel[Annotated[list[CloudEvent], Field(min_length=1, max_length=MAX_BATCH)]]):
    """Up to 1 000 CloudEvents of one organization."""


class AboutAction(Request):
    """May this action happen? It asks 1 of each metric that it needs, unless `quantities` says otherwise."""

    action: Name
    quantities: dict[Name, Quantity] = Field(default={}, max_length=MAX_METRICS)
    subject: Text | None = None


class AboutMetric(Request):
    """May `quantity` more of a metric be used? With a `subject`, none more if it is counted in this period already."""

    metric: Name
    quantity: Quantity = 1
    subject: Text | None = None


class AboutLimit(Request):
    """May `quantity` more of what a limit counts be created; of `max_census_size`, may a process be that large?"""

    limit: Name
    quantity: Quantity = 1


class AboutFeature(Request):
    """Has the plan this feature?"""

    feature: Name


class AboutVotingType(Request):
    """Has the plan this voting type?"""

    voting_type: Name


QUESTIONS: dict[str, type[Request]] = {
    "action": AboutAction,
    "metric": AboutMetric,
    "limit": AboutLimit,
    "feature": AboutFeature,
    "voting_type": AboutVotingType,
}
"""Each question by the member that only it has."""


def _about(question: object) -> str | None:
    if isinstance(question, dict):
        return next((name for name in QUESTIONS if name in question), None)
    return next((name for name, kind in QUESTIONS.items() if isinstance(question, kind)), None)


CheckRequest = Annotated[
    Annotated[AboutAction, Tag("action")]
    | Annotated[AboutMetric, Tag("metric")]
    | Annotated[AboutLimit, Tag("limit")]
    | Annotated[AboutFeature, Tag("feature")]
    | Annotated[AboutVotingType, Tag("voting_type")],
    Discriminator(
        _about,
        custom_error_type="no_question",
        custom_error_message="ask about an action, a metric, a limit, a feature or a voting_type",
    ),
]
"""A question of /check."""


class LimitAnswer(Answer):
    """How much of a limit is taken. `maximum` null is unlimited."""

    limit: str
    maximum: int | None
    used: int


class CheckAnswer(Answer):
    """Whether it is allowed; if not, which metrics block it and which actions still work.

    Of a limit, a feature or a voting type: the plan that decides, how much of the limit is taken, and the page on which
    a larger plan can be chosen.
    """

    allowed: bool
    blocking: list[BlockingAnswer]
    still_works: list[str]
    limit: LimitAnswer | None = None
    plan: str | None = None
    upgrade_url: str | None = None
    switched_off: bool | None = Field(
        default=None, description="true where an admin has switched off what the plan has: no larger plan is needed"
    )

    @classmethod
    def of(cls, permission: Permission, origin: str) -> CheckAnswer:
        """The answer about something that a plan allows."""
        use = permission.limit
        return cls(
            allowed=permission.allowed,
            blocking=[],
            still_works=[],
            limit=None if use is None else LimitAnswer(limit=use.limit.value, maximum=use.maximum, used=use.used),
            plan=permission.plan,
            upgrade_url=f"{origin}{permission.upgrade_path}",
            **({"switched_off": True} if permission.switched_off else {}),
        )


Timeout = Annotated[int, Field(strict=True, ge=-(2**31), le=2**31), WHOLE]
"""Seconds. Anything from 1 to a day is meant; the rest is answered with `invalid_timeout`, not with a wrong field."""


class ConsumeRequest(Request):
    """Takes `quantity` of a metric: all or nothing (`reject`), or as much as fits (`clamp`)."""

    metric: Name
    quantity: Quantity
    mode: Mode = Mode.REJECT


class ConsumeOne(ConsumeRequest):
    """One of many. Without a `key` of its own the request's and its place are its key."""

    key: Text | None = None


class ConsumeBatch(Request):
    """Up to 1 000 consumes, decided in order. Each is read by itself, so that one cannot refuse the others."""

    consumes: Annotated[list[SkipValidation[ConsumeOne]], Field(min_length=1, max_length=MAX_CONSUMES)]


_one, _many = TypeAdapter(ConsumeRequest), TypeAdapter(ConsumeBatch)


def _one_or_many(sent: Any, _handler: Any) -> ConsumeRequest | ConsumeBatch:
    """Told apart by the member that only many have, so that mistakes are named as those of one are."""
    if isinstance(sent, ConsumeRequest | ConsumeBatch):
        return sent
    many = isinstance(sent, dict) and "consumes" in sent
    return _many.validate_python(sent) if many else _one.validate_python(sent)


ConsumeBody = Annotated[ConsumeRequest | ConsumeBatch, WrapValidator(_one_or_many)]
"""What /consume takes."""


class ConsumeResult(Answer):
    """What became of one of many. Where it was refused, `code` and `detail` say why, as a request of its own would be;
    the figures are null where it was never decided. `replayed`: its key was used before, and this is the answer to it.
    """

    accepted: int
    used: int | None
    allowance: int | None
    credits: int | None
    replayed: bool
    code: str | None
    detail: str | None


class ConsumeBatchAnswer(Answer):
    """One result for each consume, in the order in which they were sent."""

    results: list[ConsumeResult]


class ReservationRequest(Request):
    """Holds `quantity` of a metric for `timeout_s` seconds, at most a day."""

    metric: Name
    quantity: Quantity
    timeout_s: Timeout = Field(default=DEFAULT_TIMEOUT_S, description=f"1 to {MAX_TIMEOUT_S}")


class ConfirmRequest(Request):
    """What was really used; without `quantity` all that was reserved."""

    quantity: Quantity | None = None


class ReservationAnswer(Answer):
    """A quantity that is held until `holds_until`, or what became of it."""

    id: str
    metric: str
    quantity: int
    status: Literal["open", "confirmed", "released", "expired"]
    opened_at: datetime
    holds_until: datetime
    confirmed_quantity: int | None

"""The contract is the SDK's: its version, its parameters, its answers."""

import pkgutil
import re
from importlib import import_module

import pytest
import stripe
import stripe.params
import typing_extensions

from billing_app.gateways.stripe.connection import READS
from fake_stripe.contract.operations import contract_of
from fake_stripe.contract.schema import fields_of
from fake_stripe.events import API_VERSION
from fake_stripe.resource import OPERATIONS
from tests.fake_stripe.account import TestAccount


def test_the_api_version_is_the_one_that_was_read_and_tried() -> None:
    """When this fails the SDK has moved: read its changelog, try the fake Stripe against it, then change this line."""
    assert stripe.api_version == API_VERSION == "2026-10-28.endive"


def test_every_parameter_type_of_the_sdk_can_be_read() -> None:
    for module in pkgutil.walk_packages(stripe.params.__path__, "stripe.params."):
        for value in vars(import_module(module.name)).values():
            if typing_extensions.is_typeddict(value):
                fields_of(value)


def test_every_operation_takes_its_parameters_from_the_sdk() -> None:
    import fake_stripe.api  # noqa: F401 - registers them

    assert len(OPERATIONS) == len({operation.contract.name for operation in OPERATIONS})
    for operation in OPERATIONS:
        assert operation.contract.template.startswith("/v1/")
        fields_of(operation.contract.shape)


def test_what_is_read_without_the_sdks_objects_is_read_where_the_sdk_reads_it() -> None:
    for name, address in READS.items():
        contract = contract_of(name)
        assert (contract.method, re.sub(r"__\w+__", "{}", contract.template)) == ("GET", address)


@pytest.mark.parametrize(
    ("parameters", "code", "param"),
    [
        ({"mode": "payment", "payment_method_types": ["card"]}, "parameter_unknown", "payment_method_types"),
        ({"mode": "gift"}, None, "mode"),
        ({"ui_mode": "hosted"}, None, "ui_mode"),
        ({"mode": "payment", "line_items": [{"price": "x", "qty": 1}]}, "parameter_unknown", "line_items[0][qty]"),
        ({"line_items": [{"price": "x", "quantity": "many"}]}, "parameter_invalid_integer", "line_items[0][quantity]"),
        ({"mode": "payment", "success_url": "https://x.example"}, "parameter_missing", "line_items"),
        ({"mode": "payment", "line_items": []}, "parameter_missing", "success_url"),
        ({"success_url": "https://x.example"}, "parameter_missing", "mode"),
        ({"automatic_tax": {"liability": {"type": "self"}}}, "parameter_missing", "automatic_tax[enabled]"),
        ({"metadata": {"a": {"b": "c"}}}, None, "metadata[a]"),
        ({"client_reference_id": ""}, "parameter_invalid_empty", "client_reference_id"),
        ({"allow_promotion_codes": "perhaps"}, None, "allow_promotion_codes"),
    ],
)
def test_wrong_parameters_are_refused_by_name(
    account: TestAccount, parameters: dict, code: str | None, param: str | None
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        account.v1.checkout.sessions.create(parameters)
    assert (refused.value.http_status, refused.value.code, refused.value.param) == (400, code, param)


def test_a_parameter_that_nothing_acts_on_is_refused_rather_than_ignored(account: TestAccount) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        account.session((account.price(), 1), wallet_options={"link": {"display": "never"}})
    assert refused.value.code == "sandbox_unsupported"
    assert account.v1.checkout.sessions.list().data == []


def test_a_missing_required_parameter_is_named(account: TestAccount) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        account.v1.products.create({"description": "nameless"})
    assert (refused.value.code, refused.value.param) == ("parameter_missing", "name")


def test_metadata_keys_may_be_numbers(account: TestAccount) -> None:
    product = account.v1.products.create({"name": "x", "metadata": {"0": "a", "7": "b"}})
    assert product.metadata.to_dict() == {"0": "a", "7": "b"}


def test_an_operation_outside_the_sandbox_says_so(account: TestAccount) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="Unrecognized request URL"):
        account.v1.payouts.list()

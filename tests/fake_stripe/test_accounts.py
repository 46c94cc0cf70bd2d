"""Whose key it is: what an integrator asks before anything else."""

from tests.fake_stripe.account import TestAccount
from tests.fake_stripe.answers import check


def test_a_key_knows_its_account(account: TestAccount) -> None:
    found = check(account.v1.accounts.retrieve_current())
    assert found.id.startswith("acct_")
    assert account.v1.accounts.retrieve_current().id == found.id
    assert found.default_currency == "usd"

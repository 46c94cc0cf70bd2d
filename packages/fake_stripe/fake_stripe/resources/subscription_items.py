"""Subscription items by themselves; changing one changes its subscription."""

from fake_stripe import errors
from fake_stripe.account import Account
from fake_stripe.billing import subscriptions
from fake_stripe.resource import Request, operation, slice_page
from fake_stripe.storage.objects import Body


def _find(account: Account, identifier: str) -> Body:
    for subscription in account.walk(subscriptions.SUBSCRIPTION.kind, {}):
        for item in subscription["items"]["data"]:
            if item["id"] == identifier:
                return item
    raise errors.missing("subscription_item", identifier)


@operation("subscription_items.retrieve")
def retrieve(account: Account, request: Request) -> Body:
    """One item of any subscription."""
    return _find(account, request.ids[0])


@operation("subscription_items.list")
def list_items(account: Account, request: Request) -> Body:
    """The items of one subscription."""
    identifier = request.parameters["subscription"]
    subscription = account.get(identifier, subscriptions.SUBSCRIPTION.kind, "subscription")
    return slice_page(request, subscription["items"]["data"])

"""What is bought: baskets, offers, subscriptions, recurring packs, top-ups, and money that goes back."""

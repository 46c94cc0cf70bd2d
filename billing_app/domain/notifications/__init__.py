"""What organizations are told of."""

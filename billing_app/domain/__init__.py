"""Facts and arithmetic. Standard library only: no clock, session, network, randomness or float."""

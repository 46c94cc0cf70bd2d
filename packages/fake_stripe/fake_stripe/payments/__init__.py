"""Money moving: cards and their behaviour, intents, charges, and the prices of a basket."""

"""Organizations: their tree, and what limits them."""

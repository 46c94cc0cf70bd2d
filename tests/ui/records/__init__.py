"""What services answer, as records made by hand: for tests of what screens make of them."""

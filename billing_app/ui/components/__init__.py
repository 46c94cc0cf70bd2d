"""Small parts that pages are made of. They know what to show, not where it comes from."""

"""Pages: charts."""

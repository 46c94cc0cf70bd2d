"""What pages read, a subject at a time: `desk.py` puts the parts together."""

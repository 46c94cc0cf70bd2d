"""Desks that are served by the services, a subject at a time: `service_desk.py` puts the parts together."""

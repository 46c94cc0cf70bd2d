"""Views as the services would give them: the Meridian Apps of the design's pictures, blocked, and a new organization.

Pages are developed and tested against these, without a database.
"""

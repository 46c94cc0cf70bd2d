"""A billing console: plans, prepaid credits per metric, exact blocking, and where every credit went."""

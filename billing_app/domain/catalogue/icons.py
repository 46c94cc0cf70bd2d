"""The icons that a metric may have: names of the lucide set, a closed list, so that no page shows a hole."""

_NAMES = """
activity arrow-down-up bell bot box boxes cloud coins cpu credit-card database download file folder globe hard-drive
image key layers mail map-pin message-square mouse-pointer-click package phone printer radio server smartphone terminal
timer tv upload users video vote webhook zap
"""

ICONS = frozenset(_NAMES.split())

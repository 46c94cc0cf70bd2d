"""The demo: three invented organizations with fourteen months of history, told through the services.

`calendar` places the story in time, `rhythm` makes daily use out of monthly figures, `facts` are what can happen,
`people` is who signs in, one module per organization tells what happened to it, `seed` makes it happen.
"""

"""The console over samples, for looking at pages while they are made: `python -m tests.ui.serve_samples`."""

from billing_app.ui.console import create_console
from billing_app.ui.desk import serve_from
from tests.ui.samples.desk import SampleDesks

serve_from(SampleDesks())
app = create_console()

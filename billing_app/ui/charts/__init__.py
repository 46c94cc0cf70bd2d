"""Pictures: pure functions from pandas frames to Plotly figures. No state, no database, no clock."""

"""Pages of operators, each subject a folder."""

"""Starting the console: everything between the command line and the served pages."""

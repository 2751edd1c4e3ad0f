"""The two migration daemons."""

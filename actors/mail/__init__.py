"""Messages between actors, kept until acknowledged."""

"""The coordinator's parts: who takes part, who lives, how accounts start and end."""

"""Who may write to an account: one holder at a time, kept by time bounds, since the venue checks no token."""

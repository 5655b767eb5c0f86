"""Pure veto: what may be sent, and when everything must stop."""

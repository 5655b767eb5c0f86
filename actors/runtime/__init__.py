"""The only place that knows Ray: plain actor classes become running actors here."""

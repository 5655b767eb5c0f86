"""Trading on paper: the venue's own public streams, and orders that only the matching engine of this program sees."""

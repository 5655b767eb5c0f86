"""The parts of the order gateway: its start, its calls to the venue, its journal and its snapshot."""

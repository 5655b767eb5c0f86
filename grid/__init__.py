"""Pure domain: levels, slots, the window, lots and profit; events in, commands out."""

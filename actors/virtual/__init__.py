"""The whole system in one process, on a virtual clock: the core of back-test and simulation."""

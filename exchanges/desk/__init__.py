"""The parts of the order desk: one concern a file, all over one `Core`. `exchanges.order_desk` puts them together."""

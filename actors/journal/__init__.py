"""The write-ahead journal of one account: written, read, checked, mended."""

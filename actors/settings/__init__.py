"""What a configuration may say, section by section, and how it is read."""

"""The demonstration: a whole gateway in a temporary folder, with DNS of its own."""

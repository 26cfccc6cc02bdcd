"""What reading a text costs, and how little of it has to be read."""

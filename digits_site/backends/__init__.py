"""What the project is backed by: the database and the broker."""

"""What the two clients differ in: how they send, connect and sleep."""

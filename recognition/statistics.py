"""Daily statistics of the predictions, which show drift without labels."""

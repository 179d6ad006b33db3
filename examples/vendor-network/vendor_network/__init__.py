"""Names cards, and gives them virtual functions."""

"""What a chemist liked and disliked, as a score."""

"""What runs is changed: a release, the one before it, or how many backends there are."""

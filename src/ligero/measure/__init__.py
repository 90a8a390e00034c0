"""Measuring that can be believed: what a model costs, how long it takes, what that buys."""

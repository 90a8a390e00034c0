"""Searches over settings: every trial an ordinary run, every outcome a small folder."""

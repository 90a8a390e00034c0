"""Tasks: their files, their kinds, their words and their metrics. Nothing here imports torch."""

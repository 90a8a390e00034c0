"""Training: one loop, its objectives, and what they stand on."""

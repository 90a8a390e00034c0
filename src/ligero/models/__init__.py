"""Models: a catalog of architectures, how they are made and loaded, and what reads their states."""

"""ligero: small, fast, honest language models for Spanish."""

__version__ = "0.1.0"

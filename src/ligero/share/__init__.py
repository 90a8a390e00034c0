"""Models to and from the Hugging Face hub: `ligero push` and `ligero pull`."""

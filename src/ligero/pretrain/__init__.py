"""From shards of sub-words to an encoder that knows Spanish."""

"""Raw Spanish text -> clean, deduplicated text -> shards of token ids."""

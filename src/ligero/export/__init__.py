"""A trained run -> a folder that runs without torch: graph, quantisation, gate."""

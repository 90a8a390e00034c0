"""Made-up Spanish data: sentences with names, parts of speech and topics, from a seed.

`sentences(count, seed)` gives them as objects, `write(folder, seed)` as files that every other
verb of ligero reads, so that the whole road can be tried without a network.
"""

from ligero.demo.generate import Sentence, sentences
from ligero.demo.write import write

__all__ = ["Sentence", "sentences", "write"]

"""Scores of predictions against gold labels: pure functions, one module for each shape of task.

Every score is a percentage, 0 to 100. Tallies are what each example adds to a score; figures are
functions of their sums, so that resampling examples (`bootstrap`) costs a matrix product.
"""

from ligero.tasks.metrics.answers import (
    Language,
    answer_figures,
    answer_tallies,
    exact,
    normalise,
    overlap,
)
from ligero.tasks.metrics.chunks import chunk_figures, chunk_tallies
from ligero.tasks.metrics.entities import (
    Entity,
    EntityScores,
    entities,
    entity_figures,
    entity_scores,
    entity_tallies,
)
from ligero.tasks.metrics.glues import Convention, glues_score
from ligero.tasks.metrics.labels import (
    accuracy,
    label_figures,
    label_scores,
    label_tallies,
    macro_f1,
)
from ligero.tasks.metrics.resample import Difference, bootstrap, by_group, paired_bootstrap
from ligero.tasks.metrics.tallies import Tallies, TypeScores, total
from ligero.tasks.metrics.trees import content_scores, tree_figures, tree_tallies

__all__ = [
    "Convention",
    "Difference",
    "Entity",
    "EntityScores",
    "Language",
    "Tallies",
    "TypeScores",
    "accuracy",
    "answer_figures",
    "answer_tallies",
    "bootstrap",
    "by_group",
    "chunk_figures",
    "chunk_tallies",
    "content_scores",
    "entities",
    "entity_figures",
    "entity_scores",
    "entity_tallies",
    "exact",
    "glues_score",
    "label_figures",
    "label_scores",
    "label_tallies",
    "macro_f1",
    "normalise",
    "overlap",
    "paired_bootstrap",
    "total",
    "tree_figures",
    "tree_tallies",
]

"""What the papers call models and tasks, and rows made of it."""

from ligero.papers.table import Row, Verb

MODELS = {
    "beto-uncased": "BETO uncased",
    "beto-cased": "BETO cased",
    "distilbeto": "DistilBETO",
    "albeto-tiny": "ALBETO tiny",
    "albeto-base": "ALBETO base",
    "albeto-large": "ALBETO large",
    "albeto-xlarge": "ALBETO xlarge",
    "albeto-xxlarge": "ALBETO xxlarge",
    "bertin": "BERTIN",
    "roberta-bne-base": "RoBERTa BNE base",
    "roberta-bne-large": "RoBERTa BNE large",
    "albeto-base-2": "ALBETO base-2",
    "albeto-base-4": "ALBETO base-4",
    "albeto-base-6": "ALBETO base-6",
    "albeto-base-8": "ALBETO base-8",
    "albeto-base-10": "ALBETO base-10",
}

TASKS = {
    "mldoc": "MLDoc",
    "pawsx": "PAWS-X",
    "xnli": "XNLI",
    "pos-ancora": "POS",
    "ner-conll2002": "NER",
    "mlqa": "MLQA",
    "sqac": "SQAC",
    "tar-xquad": "TAR/XQuAD",
}

# Whose scores on parts of speech are F1 over chunks, and on answers by English rules: the papers'.
TEXTS = ("mldoc", "pawsx", "xnli")
TAGS = {"pos-ancora": "chunk_f1", "ner-conll2002": "f1"}
QUESTIONS = ("mlqa", "sqac", "tar-xquad")
ANSWERS = {"f1_english": "F1", "exact_english": "exact"}


def row(model: str, verb: Verb | None = None, section: str = "") -> Row:
    """A model's row; of those that a teacher taught, where others were not, the name says so."""
    name = f"{model}.distilled" if verb == "distill" else model
    return Row(name, MODELS[model], model, verb, section)

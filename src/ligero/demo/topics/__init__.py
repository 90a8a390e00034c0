"""The templates, one module per topic and one for what all topics share."""

from ligero.demo.topics import ciencia, comun, cultura, deporte, economia, politica

TOPICS = ("deporte", "economia", "politica", "ciencia", "cultura")
RULES: dict[str, tuple[str, ...]] = {}
for _module in (comun, deporte, economia, politica, ciencia, cultura):
    for _name, _text in _module.RULES.items():
        RULES[_name] = tuple(line.strip() for line in _text.strip().splitlines())

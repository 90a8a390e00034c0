"""The encoders ligero knows by name: shapes, sources and published figures. Data only.

Nothing heavy is imported here: the command line lists these names before torch is needed.
Sources: [1] Cañete et al., "ALBETO and DistilBETO" (LREC 2022), Tables 1 and 6;
[2] Cañete & Bravo-Marquez, "Speedy Gonzales" (2024), Table 3; and the `config.json` of each
published checkpoint, whose values win where a paper is silent.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from ligero import errors


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """One encoder by name.

    name: the name used on the command line, in recipes and in reports.
    family: transformers' model type ("bert", "albert", "distilbert", "roberta", "modernbert").
    config: keyword arguments of the family's configuration class, without the vocabulary's size and
        special ids, which come from the vocabulary.
    vocab_size: entries of the published vocabulary; for ligero's own shapes, the size suggested.
    hub: repository of the published weights, None when there are none.
    revision: branch, tag or commit of `hub`; None is its default branch.
    released: whether its weights, or those it is cut from, come with ligero (`models/released`).
    cut_from, layers: the architecture whose first weights these are, and how many layers are kept.
    cased: whether the published vocabulary tells upper from lower case.
    parameters: encoder parameters as published; for ligero's own shapes, counted at `vocab_size`.
    max_length: longest window in sub-words, special tokens included.
    licence: of the weights, as their publisher states it.
    source: where the figures come from.
    learning_rate: sensible peak for fine-tuning with AdamW and warm-up.
    about: one line for listings.
    """

    name: str
    family: str
    config: Mapping[str, Any]
    vocab_size: int
    hub: str | None = None
    revision: str | None = None
    released: bool = False
    cut_from: str | None = None
    layers: int | None = None
    cased: bool
    parameters: int
    max_length: int = 512
    licence: str
    source: str
    learning_rate: float
    about: str


def _bert(**changes: Any) -> Mapping[str, Any]:
    """BERT base (Devlin et al., 2019), as BETO's config.json has it."""
    return MappingProxyType(
        {
            "hidden_size": 768,
            "num_hidden_layers": 12,
            "num_attention_heads": 12,
            "intermediate_size": 3072,
            "hidden_act": "gelu",
            "hidden_dropout_prob": 0.1,
            "attention_probs_dropout_prob": 0.1,
            "max_position_embeddings": 512,
            "type_vocab_size": 2,
            "initializer_range": 0.02,
            "layer_norm_eps": 1e-12,
        }
        | changes
    )


def _albert(hidden: int, layers: int, heads: int, initializer: float = 0.02) -> Mapping[str, Any]:
    """ALBETO of a size. The published checkpoints say "gelu", where Google's ALBERT v2 says
    "gelu_new": the weights were trained and evaluated under the name they carry, so it stays."""
    return MappingProxyType(
        {
            "embedding_size": 128,
            "hidden_size": hidden,
            "num_hidden_layers": layers,
            "num_hidden_groups": 1,
            "num_attention_heads": heads,
            "intermediate_size": 4 * hidden,
            "inner_group_num": 1,
            "hidden_act": "gelu",
            "hidden_dropout_prob": 0.0,
            "attention_probs_dropout_prob": 0.0,
            "classifier_dropout_prob": 0.1,
            "max_position_embeddings": 512,
            "type_vocab_size": 2,
            "initializer_range": initializer,
            "layer_norm_eps": 1e-12,
        }
    )


def _roberta(hidden: int, layers: int, heads: int) -> Mapping[str, Any]:
    """RoBERTa (Liu et al., 2019) without dropout, as the Spanish checkpoints publish it."""
    return _bert(
        hidden_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=4 * hidden,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        # Positions start at pad_id + 1 = 2, so 512 sub-words need 514 entries.
        max_position_embeddings=514,
        type_vocab_size=1,
        layer_norm_eps=1e-5,
    )


def _modernbert(hidden: int, layers: int) -> Mapping[str, Any]:
    """ModernBERT's block (Warner et al., 2024) at a small size: pre-norm, rotary, gated FFN.

    Heads are 64 wide: below that, time goes to soft-max and transposes rather than to products.
    Every layer attends to the whole text, where the paper lets two of three see 128 sub-words only:
    up to 512 that saves nothing, and the masks for it cost time in training and in use.
    Rotary base 10,000 throughout is what ModernBERT itself trained with at short context; its
    160,000 is for 8,192. Dropout 0.1, where the paper has 0, because labelled sets are small.
    Mean pooling, because an untrained [CLS] has yet to learn to gather anything.
    """
    rope = {"rope_type": "default", "rope_theta": 10_000.0}
    return MappingProxyType(
        {
            "hidden_size": hidden,
            "num_hidden_layers": layers,
            "num_attention_heads": hidden // 64,
            "intermediate_size": 2 * hidden,
            "hidden_activation": "gelu",
            "max_position_embeddings": 512,
            "layer_types": ("full_attention",) * layers,
            "rope_parameters": MappingProxyType(
                {"full_attention": rope, "sliding_attention": dict(rope)}
            ),
            "embedding_dropout": 0.1,
            "attention_dropout": 0.1,
            "mlp_dropout": 0.1,
            "classifier_dropout": 0.1,
            "classifier_pooling": "mean",
            "tie_word_embeddings": True,
        }
    )


# BETO's authors add that they cannot vouch for the licences of every corpus behind it.
_BETO_LICENCE = "CC-BY-4.0"
_UNSTATED = "none stated"

_DISTILBETO: Mapping[str, Any] = MappingProxyType(
    {
        "dim": 768,
        "n_layers": 6,
        "n_heads": 12,
        "hidden_dim": 3072,
        "activation": "gelu",
        "dropout": 0.1,
        "attention_dropout": 0.1,
        "seq_classif_dropout": 0.2,
        "max_position_embeddings": 512,
        # Starting values only: the positions were copied from BETO and trained.
        "sinusoidal_pos_embds": True,
        "initializer_range": 0.02,
    }
)


def _beto(name: str, *, cased: bool) -> Architecture:
    return Architecture(
        name=name,
        family="bert",
        config=_bert(),
        # 31,000 pieces, [MASK] and [PAD]; both checkpoints' config.json say 31,002.
        vocab_size=31_002,
        hub=f"dccuchile/bert-base-spanish-wwm-{'cased' if cased else 'uncased'}",
        cased=cased,
        parameters=110_000_000,
        licence=_BETO_LICENCE,
        source="[2] Table 3; checkpoint's config.json",
        learning_rate=3e-5,
        about=f"BETO, BERT base, {'cased' if cased else 'lowercase without accents'}",
    )


def _albeto(
    size: str, config: Mapping[str, Any], *, millions: int, learning_rate: float
) -> Architecture:
    return Architecture(
        name=f"albeto-{size}",
        family="albert",
        config=config,
        vocab_size=31_000,
        hub=f"dccuchile/albert-{size}-spanish",
        cased=False,
        parameters=millions * 1_000_000,
        licence=_UNSTATED,
        source="[1] Table 1; checkpoint's config.json",
        learning_rate=learning_rate,
        about=f"ALBETO {size}, ALBERT, {config['num_hidden_layers']} tied layers, lowercase",
    )


def _albeto_cut(layers: int) -> Architecture:
    return Architecture(
        name=f"albeto-base-{layers}",
        family="albert",
        config=_albert(768, layers, 12),
        vocab_size=31_000,
        hub="dccuchile/albert-base-spanish",
        cut_from="albeto-base",
        layers=layers,
        cased=False,
        parameters=12_000_000,
        licence=_UNSTATED,
        source="[2] Section 4.2, Table 3",
        # The papers' distillation grid is 5e-5 and 1e-4; at 1e-4 runs of 6 or more layers collapsed.
        learning_rate=5e-5,
        about=f"ALBETO base's tied layer applied {layers} times instead of 12",
    )


def _spanish_roberta(
    name: str, hub: str, config: Mapping[str, Any], *, millions: int, licence: str, about: str
) -> Architecture:
    return Architecture(
        name=name,
        family="roberta",
        config=config,
        vocab_size=50_262,
        hub=hub,
        cased=True,
        parameters=millions * 1_000_000,
        licence=licence,
        source="[2] Table 3; checkpoint's config.json",
        # The large one collapsed for some of the papers' seeds: [2] Table 3 has it at 68.42.
        learning_rate=3e-5 if millions < 200 else 1e-5,
        about=about,
    )


def _own(
    size: str,
    hidden: int,
    layers: int,
    *,
    vocab_size: int,
    parameters: int,
    learning_rate: float,
    released: bool = False,
    cut_from: str | None = None,
) -> Architecture:
    how = "pre-trained" if released else "created at random"
    return Architecture(
        name=f"ligero-{size}",
        family="modernbert",
        config=_modernbert(hidden, layers),
        vocab_size=vocab_size,
        released=released,
        cut_from=cut_from,
        layers=layers if cut_from else None,
        cased=True,
        parameters=parameters,
        licence="Apache-2.0",
        source="ligero; block of Warner et al. (2024), arXiv:2412.13663",
        learning_rate=learning_rate,
        about=f"ModernBERT's block, {layers} layers x {hidden}, {how}",
    )


_ALL = (
    _beto("beto-uncased", cased=False),
    _beto("beto-cased", cased=True),
    Architecture(
        name="distilbeto",
        family="distilbert",
        config=_DISTILBETO,
        vocab_size=31_002,
        hub="dccuchile/distilbert-base-spanish-uncased",
        cased=False,
        parameters=67_000_000,
        licence=_UNSTATED,
        source="[1] Section 3.3, Table 6; checkpoint's config.json",
        learning_rate=5e-5,
        about="DistilBETO, 6 of BETO's layers, distilled, lowercase",
    ),
    _albeto("tiny", _albert(312, 4, 12), millions=5, learning_rate=5e-5),
    _albeto("base", _albert(768, 12, 12), millions=12, learning_rate=3e-5),
    # [1] Section 4.2: large and up were tuned among 1e-6, 2e-6, 3e-6 and 5e-6.
    _albeto("large", _albert(1024, 24, 16), millions=18, learning_rate=5e-6),
    _albeto("xlarge", _albert(2048, 24, 16), millions=59, learning_rate=5e-6),
    _albeto("xxlarge", _albert(4096, 12, 64, 0.01), millions=223, learning_rate=5e-6),
    *(_albeto_cut(layers) for layers in (2, 4, 6, 8, 10)),
    _spanish_roberta(
        "roberta-bne-base",
        "PlanTL-GOB-ES/roberta-base-bne",
        _roberta(768, 12, 12),
        millions=125,
        licence="Apache-2.0",
        about="RoBERTa base on the crawls of Spain's National Library, cased",
    ),
    _spanish_roberta(
        "roberta-bne-large",
        "PlanTL-GOB-ES/roberta-large-bne",
        _roberta(1024, 24, 16),
        millions=355,
        licence="Apache-2.0",
        about="RoBERTa large on the crawls of Spain's National Library, cased",
    ),
    _spanish_roberta(
        "bertin",
        "bertin-project/bertin-roberta-base-spanish",
        _roberta(768, 12, 12),
        millions=125,
        licence="CC-BY-4.0",
        about="BERTIN, RoBERTa base on sampled Spanish mC4, cased",
    ),
    _own("nano", 128, 1, vocab_size=8_000, parameters=1_188_224, learning_rate=1e-3),
    _own("micro", 192, 2, vocab_size=8_000, parameters=2_274_240, learning_rate=1e-3),
    _own(
        "tiny",
        256,
        4,
        vocab_size=16_000,
        parameters=6_719_744,
        learning_rate=5e-4,
        released=True,
    ),
    _own(
        "tiny-2",
        256,
        2,
        vocab_size=16_000,
        parameters=5_408_000,
        learning_rate=5e-4,
        released=True,
        cut_from="ligero-tiny",
    ),
    _own("small", 512, 6, vocab_size=16_000, parameters=23_927_296, learning_rate=5e-4),
)

MODELS: dict[str, Architecture] = {architecture.name: architecture for architecture in _ALL}


def find(name: str) -> Architecture:
    """The architecture called `name`.

    Raises InputError, with the nearest names, when there is none.
    """
    try:
        return MODELS[name]
    except KeyError:
        raise errors.unknown("model", name, MODELS) from None

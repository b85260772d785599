"""Rule packs: customs law as data, in layers that merge visibly (rule 8).

A layer is one JSON file beside this module. `eaeu.json` is the base of the Eurasian Economic Union and
`by.json` lies over it. A layer may add rules, or name a rule of the layer below and give only the fields it
changes; `RulePack.explain` tells which layer said what. Another country is another file. `docs/law.md` has the
whole of it.
"""

from declarations.packs.merge import PACKS, load_draft, load_pack, merge, pack_names, read_layer
from declarations.packs.pack import AllowanceCard, Explanation, RulePack, natural_unit
from declarations.packs.schema import (
    Band,
    Card,
    Conditions,
    Coverage,
    Effect,
    Excess,
    Exclusion,
    Layer,
    Measure,
    Rule,
    Statement,
    Status,
    plain,
)

__all__ = [
    "PACKS",
    "AllowanceCard",
    "Band",
    "Card",
    "Conditions",
    "Coverage",
    "Effect",
    "Excess",
    "Exclusion",
    "Explanation",
    "Layer",
    "Measure",
    "Rule",
    "RulePack",
    "Statement",
    "Status",
    "load_draft",
    "load_pack",
    "merge",
    "natural_unit",
    "pack_names",
    "plain",
    "read_layer",
]

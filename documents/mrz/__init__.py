"""The machine readable zone (ICAO 9303-3 to -7): composed, generated, parsed with a verdict per field, and settled
out of what a recogniser is uncertain about. Pure: texts and numbers in, values and verdicts out.
"""

from documents.mrz.characters import ALPHABET, check_digit
from documents.mrz.compose import (
    compose_mrva,
    compose_mrvb,
    compose_old_french_card,
    compose_td1,
    compose_td2,
    compose_td3,
)
from documents.mrz.dates import MrzDate
from documents.mrz.layout import LAYOUTS, Layout, Place, Span, layout_of
from documents.mrz.parse import guarded_mrz, parse_mrz
from documents.mrz.zone import NO_MRZ, FieldName, FieldVerdict, Mrz, MrzKey

__all__ = [
    "ALPHABET",
    "LAYOUTS",
    "NO_MRZ",
    "FieldName",
    "FieldVerdict",
    "Layout",
    "Mrz",
    "MrzDate",
    "MrzKey",
    "Place",
    "Span",
    "check_digit",
    "compose_mrva",
    "compose_mrvb",
    "compose_old_french_card",
    "compose_td1",
    "compose_td2",
    "compose_td3",
    "guarded_mrz",
    "layout_of",
    "parse_mrz",
]

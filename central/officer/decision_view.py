"""The decision panel: nothing chosen at the start, reason codes by outcome, a second officer where two sign."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from central.dispositions import OUTCOMES, REASON_CODES, needs_second
from central.messages import Words
from contracts.decision import ReasonClass
from contracts.disposition import Agency, DispositionOutcome


@dataclass(frozen=True)
class OutcomeChoice:
    value: str
    name: str
    note: str
    chosen: bool


@dataclass(frozen=True)
class CodeChoice:
    value: str
    words: str
    chosen: bool


@dataclass(frozen=True)
class CodeGroup:
    outcome: str
    label: str
    codes: tuple[CodeChoice, ...]


@dataclass(frozen=True)
class DecisionPanel:
    may_sign: bool
    may_claim: bool = False
    why_not: str = ""
    duty_sheet: bool = False
    for_agency: str = ""
    outcomes: tuple[OutcomeChoice, ...] = ()
    reason_groups: tuple[CodeGroup, ...] = ()
    hand_over_to: tuple[CodeChoice, ...] = ()
    second_for: str = ""  # the outcomes that two officers sign, separated by spaces
    second_officer: str = ""
    note: str = ""
    errors: tuple[str, ...] = ()


def decision_panel(
    agency: Agency,
    reason_classes: frozenset[ReasonClass],
    *,
    no_show: bool,
    filled: Mapping[str, str],
    errors: tuple[str, ...],
    words: Words,
) -> DecisionPanel:
    """The panel of the officer who holds the case. `no_show` adds the outcome that only a supervisor has.

    `filled` is what the officer had entered when a form came back; passwords are never in it.
    """
    outcomes = tuple(outcome for outcome in OUTCOMES[agency] if (outcome is DispositionOutcome.NO_SHOW) == no_show)
    return DecisionPanel(
        may_sign=True,
        for_agency=words("decide.for_agency", agency=words(f"agency.{agency.value}")),
        outcomes=tuple(
            OutcomeChoice(
                outcome.value,
                words(f"outcome.{outcome.value}"),
                words(
                    "outcome.two_sign"
                    if needs_second(outcome, reason_classes)
                    else f"outcome.{outcome.value}.note"
                ),
                filled.get("outcome") == outcome.value,
            )
            for outcome in outcomes
        ),
        reason_groups=tuple(
            CodeGroup(
                outcome.value,
                words(f"outcome.{outcome.value}"),
                tuple(
                    CodeChoice(code, words.either(f"code.{code}", meaning), filled.get("reason_code") == code)
                    for code, meaning in REASON_CODES[outcome].items()
                ),
            )
            for outcome in outcomes
        ),
        hand_over_to=tuple(
            CodeChoice(other.value, words(f"agency.{other.value}"), filled.get("hand_over_to") == other.value)
            for other in Agency
            if other is not agency
        ),
        second_for=" ".join(outcome.value for outcome in outcomes if needs_second(outcome, reason_classes)),
        second_officer=filled.get("second_officer", ""),
        note=filled.get("note", ""),
        errors=errors,
    )

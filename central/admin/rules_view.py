"""The law of the site as people read and change it: versions, layers, who approved what, and what would change."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from central import law_effect, lawmaking
from central.access.permissions import Permission, User
from central.admin.rules_difference import Change, differences, readable
from central.law import ASKED, DATED, Term
from central.law_effect import Counted
from central.lawmaking import Activation, Proposed
from central.messages import Words
from central.officer.law_view import Why, explained, written
from central.officer.reasons import reason_title
from central.service import Central
from contracts.declaration import GoodsItem
from declarations.evaluate import PartyAssessment
from declarations.examples import Ran
from declarations.packs import Effect, Rule, RulePack, Status, plain

SECOND_LOOK = "second-look"
_SIGNS = {"<=": "≤", ">=": "≥"}


@dataclass(frozen=True)
class RuleRow:
    id: str
    title: str
    amount: str
    source: str
    layer: str
    status: str
    verified: str
    attention: bool
    anchor: str
    href: str


@dataclass(frozen=True)
class RulesTable:
    """The rules of one version. `shown` is the filter that is on; empty for all."""

    says: str
    rows: tuple[RuleRow, ...]
    shown: str
    all_href: str
    look_href: str
    look: str


@dataclass(frozen=True)
class LayerRow:
    name: str
    words: str


@dataclass(frozen=True)
class ActivationCard:
    """An activation that waits, or one whose day has not come."""

    number: int
    version: int
    label: str
    href: str
    differences: str
    says: str
    look: str
    own: bool


@dataclass(frozen=True)
class VersionRow:
    number: str
    label: str
    href: str
    state: str
    proposed: str
    unverified: str
    note: str


@dataclass(frozen=True)
class HistoryRow:
    label: str
    kind: str
    state: str
    effective: str
    asked: str
    decided: str


@dataclass(frozen=True)
class Overview:
    pack: str
    number: int
    href: str
    says: str
    sha256: str
    look: str
    layers: tuple[LayerRow, ...]
    waiting: ActivationCard | None
    coming: tuple[ActivationCard, ...]
    rollback: str
    software: str
    pack_name: str
    layer_names: str
    versions: tuple[VersionRow, ...]
    history: tuple[HistoryRow, ...]
    table: RulesTable
    may_change: bool


@dataclass(frozen=True)
class ExampleRow:
    id: str
    rule: str
    title: str
    expected: str
    got: str
    differences: tuple[str, ...]
    holds: bool
    why: tuple[Why, ...]


@dataclass(frozen=True)
class Figure:
    label: str
    value: str
    note: str = ""


@dataclass(frozen=True)
class EffectView:
    says: str
    figures: tuple[Figure, ...]
    reasons: tuple[tuple[str, str, str], ...]
    samples: tuple[str, ...]
    samples_note: str


@dataclass(frozen=True)
class ProgressView:
    says: str
    done: int
    total: int
    own: bool


@dataclass(frozen=True)
class VersionView:
    number: int
    label: str
    state: str
    says: str
    note: str
    sha256: str
    layers: tuple[LayerRow, ...]
    others: tuple[tuple[int, str], ...]
    against: int
    may_change: bool
    may_ask: bool
    tomorrow: str
    examples: tuple[ExampleRow, ...] | None
    examples_says: str
    examples_count: str
    progress: ProgressView | None
    effect: EffectView | None
    effect_note: str
    table: RulesTable


@dataclass(frozen=True)
class SaidRow:
    """One field of a rule: the word that counts, and what each layer said, with whether it is that word."""

    field: str
    value: str
    said: tuple[tuple[str, bool], ...]


@dataclass(frozen=True)
class RuleView:
    id: str
    title: str
    version: int
    label: str
    href: str
    columns: tuple[str, ...]
    says: str
    rows: tuple[SaidRow, ...]


@dataclass(frozen=True)
class DifferencesView:
    before: str
    before_number: int
    after: str
    after_number: int
    says: str
    changes: tuple[Change, ...]


# ---------------------------------------------------------------------------------------------------- overview


def overview(central: Central, user: User, words: Words, shown: str) -> Overview:
    """The law in force, what waits and what comes, the versions, and the rules in force."""
    now = central.clock()
    term = central.law.term(now)
    pack = central.law.pack(term.version.sha256)
    activations = lawmaking.activations(central)
    terms = central.law.terms()
    waiting = next((one for one in activations if one.state == ASKED), None)
    earlier = lawmaking.before(central)
    coming = [
        one for one in activations for future in terms if future.activation == one.number and future.begins > now
    ]
    return Overview(
        pack=words("rules.pack", pack=pack.id, version=pack.version),
        number=term.version.number,
        href=_href(term.version.number),
        says=_in_force_says(term, activations, words),
        sha256=term.version.sha256,
        look=_look(len(pack.unverified), words),
        layers=_layers(pack, words),
        waiting=None if waiting is None else _card(central, user, waiting, term, words),
        coming=tuple(_card(central, user, one, term, words) for one in coming),
        rollback=earlier.version.label if earlier is not None else "",
        software=_software(central, words),
        pack_name=pack.id,
        layer_names=", ".join(lawmaking.shipped_layers()),
        versions=tuple(_version_row(central, one, term, terms, words) for one in lawmaking.versions(central)),
        history=tuple(_history_row(central, one, words) for one in activations),
        table=rules_table(pack, term.version.number, words, shown, "/admin/rules"),
        may_change=user.may(Permission.RULES_CHANGE, site_id=central.config.site_id),
    )


def refusal(reason: str, place: str, words: Words) -> str:
    """Why nothing was changed, and what it is about."""
    return words("rules.refused", why=words(f"rules.refused.{reason}", place=place))


def rules_table(pack: RulePack, number: int, words: Words, shown: str, base: str) -> RulesTable:
    """Rules that nobody has signed for stand out: they wait for a second look."""
    look = [rule for rule in pack.rules if _needs_look(rule)]
    rules = look if shown == SECOND_LOOK else pack.rules
    return RulesTable(
        says=words("rules.all", count=len(rules)),
        rows=tuple(_rule(pack, rule, number, words) for rule in rules),
        shown=shown if shown == SECOND_LOOK else "",
        all_href=f"{base}#rules",
        look_href=f"{base}?show={SECOND_LOOK}#rules",
        look=words("rules.second_look", count=len(look)),
    )


def _in_force_says(term: Term, activations: Iterable[Activation], words: Words) -> str:
    made = next((one for one in activations if one.number == term.activation), None)
    if made is None or made.decided_by is None:
        return words("rules.since_set_up", moment=words.moment(term.begins))
    return words("rules.since", moment=words.moment(term.begins), asked=made.asked_by, approved=made.decided_by)


def _card(central: Central, user: User, one: Activation, term: Term, words: Words) -> ActivationCard:
    version = lawmaking.version(central, one.version)
    if one.kind == DATED and one.effective_on is not None:
        says = words(
            "rules.asked_dated",
            name=one.asked_by,
            day=_day(one.effective_on, words),
            moment=words.moment(one.asked_at),
        )
    else:
        says = words("rules.asked_rollback", name=one.asked_by, moment=words.moment(one.asked_at))
    proposer = words("rules.proposed_by", name=_name(version.proposed_by, words))
    decided = "" if one.decided_by is None else " " + words("rules.approved_by", name=one.decided_by)
    return ActivationCard(
        number=one.number,
        version=one.version,
        label=one.label,
        href=_href(one.version),
        differences=f"{_href(one.version)}/differences?from={term.version.number}",
        says=f"{says} {proposer}{decided}",
        look=_look(version.unverified, words) if one.kind == DATED else "",
        own=user.user_id in (one.asked_by, version.proposed_by if one.kind == DATED else one.asked_by),
    )


def _software(central: Central, words: Words) -> str:
    """That the software brings a pack which is no version yet; empty otherwise."""
    try:
        pack, _ = lawmaking.merged(central.config.rule_pack, {})
    except lawmaking.InvalidLaw:
        return ""
    if any(one.sha256 == pack.content_hash for one in lawmaking.versions(central, limit=200)):
        return ""
    return words("rules.software_brings", label=pack.label)


def _version_row(central: Central, one: Proposed, now: Term, terms: tuple[Term, ...], words: Words) -> VersionRow:
    return VersionRow(
        number=str(one.number),
        label=one.label,
        href=_href(one.number),
        state=_state(central, one.number, now, terms, words),
        proposed=words("trust.by", name=_name(one.proposed_by, words), moment=words.moment(one.proposed_at)),
        unverified=words.number(one.unverified),
        note=one.note,
    )


def _state(central: Central, number: int, now: Term, terms: tuple[Term, ...], words: Words) -> str:
    mine = [term for term in terms if term.version.number == number]
    if now.version.number == number:
        return words("rules.state.in_force")
    if coming := [term for term in mine if term.begins > central.clock()]:
        return words("rules.state.from", moment=words.moment(coming[0].begins))
    return words("rules.state.was" if mine else "rules.state.never")


def _history_row(central: Central, one: Activation, words: Words) -> HistoryRow:
    effective = words.moment(one.effective_at) if one.effective_at is not None else ""
    if not effective and one.effective_on is not None:
        effective = _day(one.effective_on, words)
    decided = ""
    if one.decided_by is not None and one.decided_at is not None:
        decided = words("trust.by", name=one.decided_by, moment=words.moment(one.decided_at))
    if one.withdrawn_by is not None and one.withdrawn_at is not None:
        decided = words("trust.by", name=one.withdrawn_by, moment=words.moment(one.withdrawn_at))
    return HistoryRow(
        label=one.label,
        kind=words(f"rules.kind.{one.kind}"),
        state=words(f"rules.activation.{one.state}"),
        effective=effective,
        asked=words("trust.by", name=_name(one.asked_by, words), moment=words.moment(one.asked_at)),
        decided=decided,
    )


# --------------------------------------------------------------------------------------------------- a version


def version_view(
    central: Central, user: User, words: Words, number: int, shown: str, *, run_examples: bool = False
) -> VersionView:
    """One version: its rules and layers, its examples, its effect, and how it becomes law. Raises LookupError."""
    one = lawmaking.version(central, number)
    pack = central.law.pack(one.sha256)
    now, terms = central.law.term(central.clock()), central.law.terms()
    tomorrow = central.clock().astimezone(central.timezone).date() + timedelta(days=1)
    ran = lawmaking.run_examples(pack, tomorrow) if run_examples else None
    effect = law_effect.latest(central, number)
    may_change = user.may(Permission.RULES_CHANGE, site_id=central.config.site_id)
    others = [(other.number, other.label) for other in lawmaking.versions(central) if other.number != number]
    return VersionView(
        number=number,
        label=one.label,
        state=_state(central, number, now, terms, words),
        says=words(
            "rules.version_says",
            number=number,
            name=_name(one.proposed_by, words),
            moment=words.moment(one.proposed_at),
        ),
        note=one.note,
        sha256=one.sha256,
        layers=_layers(pack, words),
        others=tuple(others),
        against=now.version.number if now.version.number != number else (others[0][0] if others else 0),
        may_change=may_change,
        may_ask=may_change and now.version.number != number,
        tomorrow=tomorrow.isoformat(),
        examples=None if ran is None else tuple(_example(one, pack, words, _href(number)) for one in ran),
        examples_says="" if ran is None else _examples_say(ran, words),
        examples_count=words("rules.examples_count", count=len(pack.examples)),
        progress=_progress(central, number, words),
        effect=None if effect is None else _effect(central, user, effect, words),
        effect_note=words("rules.effect_note", days=law_effect.DAYS, most=words.number(law_effect.MOST_RECORDS)),
        table=rules_table(pack, number, words, shown, _href(number)),
    )


def progress_says(central: Central, words: Words) -> ProgressView | None:
    """How far the count that runs has come, of whichever version."""
    progress = central.effects.progress
    if progress is None:
        return None
    says = words("rules.effect_running", done=words.number(progress.done), total=words.number(progress.total))
    return ProgressView(says, progress.done, max(1, progress.total), own=False)


def _progress(central: Central, number: int, words: Words) -> ProgressView | None:
    progress, said = central.effects.progress, progress_says(central, words)
    if progress is None or said is None:
        return None
    return ProgressView(said.says, said.done, said.total, own=progress.version == number)


def _effect(central: Central, user: User, effect: law_effect.Effect, words: Words) -> EffectView:
    counted = effect.counted
    compared = lawmaking.version(central, effect.compared_with)
    says = words(
        f"rules.effect_says.{effect.state}",
        records=words.number(counted.records),
        label=compared.label,
        day=_day(date.fromisoformat(counted.on), words),
        name=effect.asked_by,
        moment=words.moment(effect.ended_at),
    )
    if counted.all_records > counted.records + counted.erased:
        says += " " + words("rules.effect_part", all=words.number(counted.all_records))
    if counted.erased:
        says += " " + words("rules.effect_erased", count=counted.erased)
    may_see = user.may(Permission.CASE_VIEW, site_id=central.config.site_id)
    samples = tuple(counted.samples) if may_see else ()
    return EffectView(
        says=says,
        figures=_figures(counted, words),
        reasons=tuple(_reasons(counted, words)),
        samples=samples,
        samples_note="" if samples or not counted.samples else words("rules.effect_samples_hidden"),
    )


def _figures(counted: Counted, words: Words) -> tuple[Figure, ...]:
    people = words("rules.effect_of_people", count=counted.people)
    return (
        Figure(words("rules.effect_to_red"), words.number(counted.to_red), people),
        Figure(words("rules.effect_to_green"), words.number(counted.to_green), people),
        Figure(words("rules.effect_other"), words.number(counted.other_reasons), words("rules.effect_other_note")),
        Figure(words("rules.effect_duty_more"), words.number(counted.duty_more), people),
        Figure(
            words("rules.effect_duty_less"),
            words.number(counted.duty_less),
            words("rules.effect_duty_unknown", count=counted.duty_unknown),
        ),
    )


def _reasons(counted: Counted, words: Words) -> Iterable[tuple[str, str, str]]:
    for code in dict.fromkeys((*counted.added, *counted.removed)):
        added, removed = counted.added.get(code, 0), counted.removed.get(code, 0)
        yield reason_title(code, "rule", words), words.number(added), words.number(removed)


def _example(ran: Ran, pack: RulePack, words: Words, rules: str) -> ExampleRow:
    example = ran.example
    carried = [
        *(f"{_kind(item.kind.value, words)} {_amount_of(item, words)}".strip() for item in example.items),
        *(
            f"{words(f'money.{one.kind.value}')} {written(plain(one.amount), words)} {one.currency}"
            for one in example.money
        ),
    ]
    named = {line.kind for line in example.lines}
    lines, beside = explained(PartyAssessment(pack.label, {"p1": ran.answer}), "p1", pack, words, rules=rules)
    return ExampleRow(
        id=example.id,
        rule=example.rule,
        title=f"{example.title} ({', '.join(carried)})" if carried else example.title,
        expected=_stands(
            [(line.kind, line.relation, line.duty) for line in example.lines], example.codes, ran, words
        ),
        got=_stands(
            [(line.kind, line.relation.value, line.duty) for line in ran.answer.lines if line.kind in named],
            [hit.code for hit in ran.answer.hits],
            ran,
            words,
        ),
        differences=ran.differences,
        holds=ran.holds,
        why=(
            *beside,
            *(
                replace(shown.why, text=f"{shown.name}: {shown.why.text}")
                for line, shown in zip(ran.answer.lines, lines, strict=True)
                if shown.matters or line.kind in named
            ),
        ),
    )


def _stands(lines: Iterable[tuple[str, str, Decimal | None]], codes: Iterable[str], ran: Ran, words: Words) -> str:
    """How lines stand, what is owed on them, and what calls for a person."""
    said = [
        f"{_kind(kind, words)}: {words(f'relation.{relation}')}"
        + ("" if duty is None else f", {written(plain(duty), words)} {ran.answer.currency}")
        for kind, relation, duty in lines
    ]
    titles = sorted(reason_title(code, "rule", words) for code in codes)
    return "; ".join([*said, ", ".join(titles) or words("rules.example_nothing")])


def _kind(name: str, words: Words) -> str:
    return words.either(f"kind.{name}", name.replace("_", " "))


def _amount_of(item: GoodsItem, words: Words) -> str:
    said = (
        (item.quantity, item.unit.value if item.unit is not None else ""),
        (item.value, item.currency or ""),
        (item.weight_kg, "kg"),
    )
    return ", ".join(written(f"{plain(figure)} {unit}", words) for figure, unit in said if figure is not None)


def _examples_say(ran: tuple[Ran, ...], words: Words) -> str:
    wrong = sum(not one.holds for one in ran)
    if wrong:
        return words("rules.examples_wrong", count=wrong)
    return words("rules.examples_hold", count=len(ran))


# ------------------------------------------------------------------------------------------ a rule, differences


def rule_view(central: Central, words: Words, number: int, rule_id: str) -> RuleView:
    """Which layer said what about a rule, field by field. Raises LookupError for an unknown version or rule."""
    one = lawmaking.version(central, number)
    pack = central.law.pack(one.sha256)
    explained = pack.explain(rule_id)
    said = explained.statements
    merged = [rule.model_dump(mode="json") for rule in explained.versions]
    rows = []
    for name in type(explained.rule).model_fields:
        values = [readable(rule[name]) for rule in merged]
        words_of = [readable(statement.said.get(name)) for statement in said]
        if not any((*values, *words_of)):
            continue
        last = max((place for place, statement in enumerate(said) if name in statement.said), default=-1)
        rows.append(
            SaidRow(
                name,
                " / ".join(dict.fromkeys(values)),
                tuple((text, place == last) for place, text in enumerate(words_of)),
            )
        )
    return RuleView(
        id=rule_id,
        title=explained.rule.title,
        version=number,
        label=one.label,
        href=_href(number),
        columns=tuple(words("rules.layer_version", layer=one.layer, version=one.version) for one in said),
        says=words("rules.rule_says", count=len(said)),
        rows=tuple(rows),
    )


def differences_view(central: Central, words: Words, before: int, after: int) -> DifferencesView:
    """Raises LookupError for an unknown version."""
    old, new = lawmaking.version(central, before), lawmaking.version(central, after)
    changes = differences(central.law.pack(old.sha256), central.law.pack(new.sha256))
    return DifferencesView(
        before=old.label,
        before_number=before,
        after=new.label,
        after_number=after,
        says=words("rules.differences_count", count=len(changes)),
        changes=changes,
    )


# -------------------------------------------------------------------------------------------------------- small


def _layers(pack: RulePack, words: Words) -> tuple[LayerRow, ...]:
    layers = []
    for layer in pack.layers:
        said = [statement for statement in pack.statements if statement.layer == layer]
        version = said[0].version if said else pack.version
        layers.append(LayerRow(layer, words("rules.layer_says", version=version, count=len(said))))
    return tuple(layers)


def _needs_look(rule: Rule) -> bool:
    return rule.effect is not Effect.NOTE and not rule.verified


def _rule(pack: RulePack, rule: Rule, number: int, words: Words) -> RuleRow:
    said = dict.fromkeys(statement.layer for statement in pack.explain(rule.id).statements)
    status = words(f"rules.status.{rule.status.value}")
    verified = words("rules.nobody")
    if rule.verified_by and rule.verified_at:
        verified = f"{rule.verified_by}, {rule.verified_at.isoformat()}"
    same = [other for other in pack.rules if other.id == rule.id]
    return RuleRow(
        id=rule.id,
        title=rule.title,
        amount=_amount(rule, words),
        source=f"{rule.article}. {rule.source}" if rule.article else rule.source,
        layer=" + ".join(said),
        status=status,
        verified=verified,
        attention=rule.status is Status.UNVERIFIED,
        anchor=f"rule-{rule.id}" if same[0] is rule else "",
        href=f"{_href(number)}/rules/{rule.id}",
    )


def _amount(rule: Rule, words: Words) -> str:
    if rule.comparator == "any":
        return words("rules.any_amount")
    if rule.amount is None:
        return ""
    exponent = rule.amount.as_tuple().exponent
    places = -exponent if isinstance(exponent, int) and exponent < 0 else 0
    unit = words.either(f"unit.{rule.unit.value}", rule.unit.value) if rule.unit else (rule.currency or "")
    excess = ""
    if rule.excess is not None and rule.excess.rate_text:
        each = f"/{unit}" if rule.excess.per_unit is not None else ""
        excess = f"; {written(rule.excess.rate_text, words)}{each}"
    sign = _SIGNS.get(rule.comparator or "", rule.comparator or "")
    return f"{sign} {words.number(rule.amount, places)} {unit}{excess}".strip()


def _look(count: int, words: Words) -> str:
    return words("rules.look", count=count) if count else ""


def _name(user_id: str, words: Words) -> str:
    return words("rules.set_up") if user_id == "set-up" else user_id


def _href(number: int) -> str:
    return f"/admin/rules/versions/{number}"


def _day(day: date, words: Words) -> str:
    return words.calendar_day(day)

"""Makes the fictional travellers: pages, chips, feeds and tags out of the recipes and portraits of the repository.

A built specimen is complete in itself and has the documented form (docs/specimens.md). Beside the specimens lie
`trust/` (what the kiosk of a demonstration trusts) and `watch_list.csv` (the names that the stories need on it).
The same inputs give the same bytes, and a specimen whose inputs have not changed is not built again.
"""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO, StringIO
from pathlib import Path

from contracts.party import DocumentFormat
from documents.mrz import compose_mrva, compose_td1, compose_td3
from documents.secure_messaging import AES_128
from hardware.specimens import issuer as issuing
from hardware.specimens.attacks import draw_attack
from hardware.specimens.feed import SECONDS, FeedName, Head, draw_feed
from hardware.specimens.issuer import ChipFiles, ChipSecurity, SpecimenAuthority
from hardware.specimens.page import draw_front, draw_page
from hardware.specimens.recipe import Attack, ChipProtocols, DocumentRecipe, Recipe, TravellerRecipe, load_recipe
from hardware.specimens.story import Story, StoryTraveller
from hardware.specimens.tag import draw_tag

SOURCES = Path(__file__).parent
TRAVELLERS = SOURCES / "travellers"
PORTRAITS = SOURCES / "portraits"
COUNTRY, FOREIGN_COUNTRY = "UTO", "XYZ"
_STAMP = ".built"  # SHA-256 of everything that the specimen was made of

_COMPOSERS: dict[str, Callable[..., tuple[str, ...]]] = {
    "TD1": compose_td1,
    "TD3": compose_td3,
    "MRV-A": compose_mrva,
}

Progress = Callable[[str], None]


def default_directory() -> Path:
    """Where set-up puts the specimens: `share/corridor/specimens` of the environment."""
    return Path(sys.prefix) / "share/corridor/specimens"


def known_specimens() -> tuple[str, ...]:
    """The ids of the travellers in the repository, in order."""
    return tuple(sorted(path.parent.name for path in TRAVELLERS.glob("*/recipe.json")))


def build_specimens(
    out: Path, only: Sequence[str] = (), progress: Progress = lambda _: None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Builds all specimens, or those named, into `out`; gives the ids that were built and that were fresh.

    Raises ValueError for an unknown id or a recipe that does not fit its story, FileNotFoundError without the
    OCR-B font.
    """
    known = known_specimens()
    if unknown := sorted(set(only) - set(known)):
        raise ValueError(f"no specimen is called {', '.join(unknown)}; there are {', '.join(known)}")
    out.mkdir(parents=True, exist_ok=True)
    built: list[str] = []
    fresh: list[str] = []
    common = _common_inputs()
    wanted = tuple(dict.fromkeys(only)) or known
    with ThreadPoolExecutor(2) as workers:  # drawing is done in C, mostly without the interpreter's lock
        for name, new in zip(
            wanted, workers.map(lambda name: build_specimen(name, out / name, common), wanted), strict=True
        ):
            (built if new else fresh).append(name)
            if new:
                progress(f"built {name} ({len(built) + len(fresh)} of {len(wanted)})")
    for country in (COUNTRY, FOREIGN_COUNTRY):
        SpecimenAuthority(country).write_trust(out / "trust")
    (out / "watch_list.csv").write_text(watch_list(), encoding="utf-8")
    return tuple(built), tuple(fresh)


def build_specimen(name: str, directory: Path, common: bytes | None = None) -> bool:
    """Builds one specimen; False when it is already there, made of the same inputs."""
    source = TRAVELLERS / name
    story = Story.model_validate(json.loads((source / "story.json").read_text(encoding="utf-8")))
    recipe = load_recipe(source)
    _agree(story, recipe, name)
    stamp = _stamp(source, recipe, _common_inputs() if common is None else common)
    if (directory / _STAMP).exists() and (directory / _STAMP).read_text(encoding="utf-8") == stamp:
        return False
    # Built beside and moved into place, so that a build that is broken off leaves nothing that looks complete.
    work = directory.with_name(f".{name}.building")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    travellers = tuple(
        _build_traveller(told, made, work) for told, made in zip(story.travellers, recipe.travellers, strict=True)
    )
    complete = story.model_copy(update={"travellers": travellers})
    told = {"schema_version": complete.schema_version, **complete.model_dump(mode="json", exclude_defaults=True)}
    text = json.dumps(told, indent=1, ensure_ascii=False)
    (work / "story.json").write_text(text + "\n", encoding="utf-8")
    (work / _STAMP).write_text(stamp, encoding="utf-8")
    shutil.rmtree(directory, ignore_errors=True)
    work.rename(directory)
    return True


def watch_list() -> str:
    """The names that the stories need on the demonstration's watch list, as the CSV that central reads."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("name", "birth_date", "list", "reason_code", "owner", "expires"))
    for identifier in known_specimens():
        told = json.loads((TRAVELLERS / identifier / "story.json").read_text(encoding="utf-8"))
        for name in told.get("setup", {}).get("watch_list", ()):
            writer.writerow((name, "", "demonstration", "fictional_person", "customs", ""))
    return text.getvalue()


def compose_lines(recipe: DocumentRecipe) -> tuple[str, ...]:
    """The machine readable zone of a recipe's document."""
    return _COMPOSERS[recipe.format](
        issuer=recipe.issuer,
        surname=recipe.surname,
        given_names=recipe.given_names,
        number=recipe.number,
        nationality=recipe.nationality,
        birth_date=recipe.birth_date,
        sex=recipe.sex,
        expiry_date=recipe.expiry_date,
        document_code=recipe.document_code,
    )


# As passports of today are made: P-256 and brainpoolP256r1 by their numbers in 9303-11 Table 12.
PROTOCOLS: dict[ChipProtocols, tuple[bool, ChipSecurity | None]] = {
    "bac_aa": (True, None),
    "pace_gm_ca": (False, ChipSecurity((("gm", AES_128, 13),), ((AES_128, 12),))),
    "pace_cam": (False, ChipSecurity((("cam", AES_128, 13), ("gm", AES_128, 13)))),
    "pace_im_aa": (True, ChipSecurity((("im", AES_128, 12),))),
}
"""Whether a chip has a key of active authentication, and what it speaks beyond it."""


def issue_chip(recipe: DocumentRecipe, lines: tuple[str, ...], portrait_jpeg: bytes) -> ChipFiles:
    """The chip of a recipe's document, with its fault when it has one."""
    authority = SpecimenAuthority(COUNTRY)
    signer = SpecimenAuthority(FOREIGN_COUNTRY) if recipe.chip_fault == "foreign_signer" else authority
    # Signed over another picture: whose it was is nowhere to be seen, so a mirrored one serves.
    signed = _mirrored(portrait_jpeg) if recipe.chip_fault == "tampered_portrait" else portrait_jpeg
    active, security = PROTOCOLS[recipe.chip_protocols]
    chip = authority.issue(lines, signed, aa=active, signer=signer, security=security)
    if recipe.chip_fault == "tampered_portrait":
        return chip.with_altered_portrait(portrait_jpeg)
    return chip.without_authentication_key() if recipe.chip_fault == "cloned" else chip


def _build_traveller(told: StoryTraveller, made: TravellerRecipe, directory: Path) -> StoryTraveller:
    documents = []
    for document, recipe in zip(told.documents, made.documents, strict=True):
        lines = compose_lines(recipe)
        portrait = (PORTRAITS / f"{recipe.portrait}-neutral.jpg").read_bytes()
        (directory / document.page).write_bytes(draw_page(recipe, lines, portrait))
        if document.front is not None:
            (directory / document.front).write_bytes(draw_front(recipe, portrait))
        if document.chip is not None:
            issue_chip(recipe, lines, portrait).write(directory / document.chip)
        documents.append(document.model_copy(update={"mrz": lines}))
    if made.face is not None:
        for name, relative in told.feeds.items():
            (directory / relative).parent.mkdir(parents=True, exist_ok=True)
            (directory / relative).write_bytes(_draw_film(made.face, made.attack, name))
    for bag, tagged in zip(told.bags, made.bags, strict=True):
        if bag.tag is not None and tagged is not None:
            (directory / bag.tag).write_bytes(draw_tag(tagged.licence_plate, tagged.degrees))
    return told.model_copy(update={"documents": tuple(documents)})


def _draw_film(face: str, attack: Attack | None, name: FeedName) -> bytes:
    seed = list(SECONDS).index(name)
    if attack is None:
        return draw_feed(_smile(face), head_of(face), name, seed)
    other = (_smile(attack.by), head_of(attack.by))
    return draw_attack((_smile(face), head_of(face)), other, attack.kind, name, seed)


def _smile(portrait: str) -> bytes:
    return (PORTRAITS / f"{portrait}-smile.jpg").read_bytes()


def head_of(portrait: str) -> Head:
    """Where the face is in a portrait's smile."""
    points = json.loads((PORTRAITS / "landmarks.json").read_text(encoding="utf-8"))[portrait]["points"]
    return Head(*((float(x), float(y)) for x, y in points))


def _agree(story: Story, recipe: Recipe, name: str) -> None:
    """The story and the recipe tell of the same people and things. Raises ValueError."""
    if not story.id == recipe.id == name:
        raise ValueError(f"{name}: story and recipe carry other ids")
    if len(story.travellers) != len(recipe.travellers):
        raise ValueError(f"{name}: story and recipe differ in travellers")
    for told, made in zip(story.travellers, recipe.travellers, strict=True):
        formats = [DocumentFormat(document.format) for document in made.documents]
        if [document.format for document in told.documents] != formats:
            raise ValueError(f"{name}: story and recipe differ in documents")
        if any(
            (document.front is not None) != (document.format is DocumentFormat.TD1) for document in told.documents
        ):
            raise ValueError(f"{name}: a card has a front, and nothing else has")
        if [document.chip is not None for document in told.documents] != [each.chip for each in made.documents]:
            raise ValueError(f"{name}: story and recipe differ in chips")
        if bool(told.feeds) != (made.face is not None):
            raise ValueError(f"{name}: story and recipe differ in faces")
        if [bag.tag is not None for bag in told.bags] != [bag is not None for bag in made.bags]:
            raise ValueError(f"{name}: story and recipe differ in bag tags")


def _mirrored(jpeg: bytes) -> bytes:
    from PIL import Image, ImageOps

    out = BytesIO()
    ImageOps.mirror(Image.open(BytesIO(jpeg)).convert("RGB")).save(out, "JPEG", quality=88)
    return out.getvalue()


def _common_inputs() -> bytes:
    """What every specimen depends on: the programs that draw and sign, and the authorities."""
    digest = hashlib.sha256()
    for program in sorted((*SOURCES.glob("*.py"), Path(issuing.__file__))):
        digest.update(program.read_bytes())
    for country in (COUNTRY, FOREIGN_COUNTRY):
        digest.update(SpecimenAuthority(country).csca_certificate)
    return digest.digest()


def _stamp(source: Path, recipe: Recipe, common: bytes) -> str:
    digest = hashlib.sha256(common)
    for path in (source / "story.json", source / "recipe.json", PORTRAITS / "landmarks.json"):
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    for traveller in recipe.travellers:
        names = [f"{document.portrait}-neutral.jpg" for document in traveller.documents]
        names += [f"{traveller.face}-smile.jpg"] if traveller.face else []
        names += [f"{traveller.attack.by}-smile.jpg"] if traveller.attack else []
        for name in names:
            digest.update(hashlib.sha256((PORTRAITS / name).read_bytes()).digest())
    return digest.hexdigest()

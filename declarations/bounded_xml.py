"""XML from outside, read within bounds: no document type, no entities, nothing fetched, nothing endless.

Expat is driven directly, because only so every refusal has a line and a column. Billion laughs, quadratic blow-up
and external entities all need a document type; a document that has one is refused before it can say more.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from xml.parsers import expat

LARGEST = 2_000_000  # bytes; a declaration of 500 full lines has about 400,000
DEEPEST = 32
MOST_ELEMENTS = 60_000


class XmlRefused(ValueError):
    """What cannot be taken. `place` is `line 3, column 14`; `reason` quotes nothing of the content."""

    def __init__(self, reason: str, place: str) -> None:
        super().__init__(f"{place}: {reason}")
        self.reason, self.place = reason, place


@dataclass
class Element:
    """One element: expanded name `{namespace}local`, attributes, own text, children in order, and its line."""

    name: str
    attributes: dict[str, str]
    line: int
    text: str = ""
    children: list[Element] = field(default_factory=list)

    @property
    def local(self) -> str:
        return self.name.rpartition("}")[2]


def parse(data: bytes, *, largest: int = LARGEST) -> Element:
    """The root element of a document in UTF-8. Raises XmlRefused and nothing else."""
    if len(data) > largest:
        raise XmlRefused(f"larger than {largest} bytes", "line 1, column 1")
    parser = expat.ParserCreate("UTF-8", "}")
    builder = _Builder(parser)
    parser.buffer_text = True
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.characters
    parser.XmlDeclHandler = builder.declaration
    parser.StartDoctypeDeclHandler = builder.doctype
    parser.EntityDeclHandler = builder.entity
    parser.ProcessingInstructionHandler = builder.instruction
    parser.ExternalEntityRefHandler = builder.external
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        words = expat.ErrorString(error.code) or "not well-formed"
        raise XmlRefused(words, _at(error.lineno, error.offset)) from None
    assert builder.root is not None  # expat refuses a document without an element
    return builder.root


def _at(line: int, column: int) -> str:
    return f"line {line}, column {column + 1}"


class _Builder:
    """Expat's events become elements, until something is not allowed."""

    def __init__(self, parser: expat.XMLParserType) -> None:
        self._parser = parser
        self._open: list[Element] = []
        self._count = 0
        self.root: Element | None = None

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if self._count > MOST_ELEMENTS:
            raise self._refused(f"more than {MOST_ELEMENTS} elements")
        if len(self._open) >= DEEPEST:
            raise self._refused(f"elements lie deeper than {DEEPEST}")
        namespace, found, local = name.rpartition("}")
        element = Element(f"{{{namespace}}}{local}" if found else name, attributes, self._parser.CurrentLineNumber)
        if self._open:
            self._open[-1].children.append(element)
        else:
            self.root = element
        self._open.append(element)

    def end(self, name: str) -> None:
        self._open.pop()

    def characters(self, text: str) -> None:
        # Outside of the root expat lets only white space pass, and asks nobody.
        if self._open:
            self._open[-1].text += text

    def declaration(self, version: str, encoding: str | None, standalone: int) -> None:
        if encoding is not None and encoding.upper() != "UTF-8":
            raise self._refused("only UTF-8 is read")

    def doctype(self, *declared: object) -> None:
        raise self._refused("a document type is not allowed")

    def entity(self, *declared: object) -> None:
        raise self._refused("an entity is not allowed")

    def instruction(self, *instruction: object) -> None:
        raise self._refused("a processing instruction is not allowed")

    def external(self, *reference: object) -> int:
        raise self._refused("an external reference is not allowed")

    def _refused(self, reason: str) -> XmlRefused:
        return XmlRefused(reason, _at(self._parser.CurrentLineNumber, self._parser.CurrentColumnNumber))

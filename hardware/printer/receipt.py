"""How a receipt looks: as a one-bit picture for the thermal head, and as a PDF with real text.

The receipt is printed as a picture because no ESC/POS code page holds Cyrillic and Arabic in every printer, and
Arabic letters join. 576 dots across: 72 mm at 8 dots per millimetre, the common 80 mm paper.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

from hardware.ports import ReceiptDocument

if TYPE_CHECKING:
    from PIL import Image, ImageFont

WIDTH = 576
_TEMPLATE = Path(__file__).parents[2] / "templates/print/receipt.html"
_MARGIN = 24
_QR_SIDE = 352
_SIZES = {"title": 44, "number": 34, "line": 28}


def font_file() -> Path | None:
    """A font with Latin, Cyrillic and Arabic: DejaVu Sans, which matplotlib brings, or the system's own."""
    found = importlib.util.find_spec("matplotlib")
    packages = (found.submodule_search_locations if found else None) or []
    places = [Path(package) / "mpl-data/fonts/ttf" for package in packages]
    places.append(Path("/usr/share/fonts/truetype/dejavu"))
    return next((place / "DejaVuSans.ttf" for place in places if (place / "DejaVuSans.ttf").exists()), None)


def receipt_picture(receipt: ReceiptDocument) -> Image.Image:
    """The receipt as a one-bit picture, `WIDTH` dots wide, as long as it needs to be."""
    from PIL import Image, ImageDraw, ImageFont, features

    path = font_file()
    fonts: dict[str, ImageFont.FreeTypeFont | ImageFont.ImageFont] = {
        part: ImageFont.truetype(str(path), size) if path else ImageFont.load_default(size)
        for part, size in _SIZES.items()
    }
    direction = "rtl" if receipt.right_to_left and features.check("raqm") else None
    rows = [("title", row) for row in _wrapped(receipt.title, fonts["title"])]
    rows += [("number", receipt.number)]
    rows += [("line", row) for line in receipt.lines for row in _wrapped(line, fonts["line"])]

    code = _qr_picture(receipt.token)
    height = sum(_advance(part) for part, _ in rows) + code.height + 5 * _MARGIN
    picture = Image.new("L", (WIDTH, height), 255)
    draw = ImageDraw.Draw(picture)
    top = _MARGIN
    for part, row in rows:
        turned = direction if part != "number" else None
        width = fonts[part].getlength(row)
        start = WIDTH - _MARGIN - width if receipt.right_to_left else float(_MARGIN)
        left = start if part == "line" else (WIDTH - width) / 2
        draw.text((left, top), row, fill=0, font=fonts[part], direction=turned)
        top += _advance(part)
    picture.paste(code, ((WIDTH - code.width) // 2, top + _MARGIN))
    # Without dithering: grey edges of letters would become crumbs.
    return picture.point(lambda grey: 255 if grey > 150 else 0).convert("1", dither=Image.Dither.NONE)


def receipt_pdf(receipt: ReceiptDocument) -> bytes:
    """The receipt as a PDF, from templates/print/receipt.html through WeasyPrint."""
    import jinja2
    import segno
    import weasyprint

    template = _TEMPLATE.read_text(encoding="utf-8")
    path = font_file()
    page = (
        jinja2.Environment(autoescape=True)
        .from_string(template)
        .render(
            receipt=receipt,
            font=path.as_uri() if path else None,
            code=segno.make(receipt.token, error="m", micro=False).svg_data_uri(border=2),
        )
    )
    pdf: bytes = weasyprint.HTML(string=page).write_pdf()
    return pdf


def _advance(part: str) -> int:
    return round(_SIZES[part] * (1.6 if part == "number" else 1.35))


def _wrapped(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> list[str]:
    """The text in rows that fit between the margins, broken at spaces, or within a word that is too long."""
    rows: list[str] = []
    row = ""
    for word in text.split():
        longer = f"{row} {word}" if row else word
        if font.getlength(longer) <= WIDTH - 2 * _MARGIN:
            row = longer
            continue
        if row:
            rows.append(row)
        while font.getlength(word) > WIDTH - 2 * _MARGIN:
            fits = next(n for n in range(len(word), 0, -1) if font.getlength(word[:n]) <= WIDTH - 2 * _MARGIN)
            rows.append(word[:fits])
            word = word[fits:]
        row = word
    return [*rows, row]


def _qr_picture(token: str) -> Image.Image:
    import segno
    from PIL import Image

    matrix = segno.make(token, error="m", micro=False).matrix_iter(scale=1, border=4)
    rows = [bytes(0 if dark else 255 for dark in row) for row in matrix]
    side = len(rows)
    code = Image.frombytes("L", (side, side), b"".join(rows))
    scale = max(2, _QR_SIDE // side)
    return code.resize((side * scale, side * scale), Image.Resampling.NEAREST)

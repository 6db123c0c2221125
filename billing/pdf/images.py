"""Logo and QR code as SVG text, data to the typesetter. A logo that cannot be drawn is left out."""

import base64
import io
import re
from functools import lru_cache

import segno
from PIL import Image, UnidentifiedImageError

_RASTER_FORMATS = ("PNG", "JPEG", "WEBP")
_RASTER_BOX = (720, 240)
_RASTER_PIXELS = 40_000_000
_SVG_BYTES = 300_000
_SVG_START = re.compile(rb"\A\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<svg[\s>]", re.DOTALL)
# Nothing in a logo may name a file, an address, an entity or a program.
_SVG_REFUSED = re.compile(
    rb"<!DOCTYPE|<!ENTITY|<script|<foreignObject|<image|<feImage|<text|@import"
    rb"|href\s*=\s*[\"'](?!#)|url\((?!\s*[\"']?#)|[\s\"'/]on\w+\s*=|javascript:|<handler|<set|<animate",
    re.IGNORECASE,
)


def _raster_svg(data: bytes) -> str:
    with Image.open(io.BytesIO(data), formats=_RASTER_FORMATS) as image:
        if image.width * image.height > _RASTER_PIXELS:
            return ""
        picture = image.convert("RGBA")
    picture.thumbnail(_RASTER_BOX, Image.Resampling.LANCZOS)
    out = io.BytesIO()
    picture.save(out, format="PNG", optimize=True)
    encoded = base64.b64encode(out.getvalue()).decode()
    width, height = picture.size
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'width="{width}" height="{height}" viewBox="0 0 {width} {height}">'
        f'<image width="{width}" height="{height}" xlink:href="data:image/png;base64,{encoded}"/></svg>'
    )


@lru_cache(maxsize=64)
def logo_svg(data: bytes) -> str:
    """The logo, made small and harmless; empty when it is neither a picture nor a plain SVG."""
    if _SVG_START.match(data):
        if len(data) > _SVG_BYTES or _SVG_REFUSED.search(data):
            return ""
        return data.decode("utf-8", "replace")
    try:
        return _raster_svg(data)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return ""


def qr_svg(url: str) -> str:
    """A QR code of the address, black on nothing, without margin."""
    out = io.BytesIO()
    segno.make(url, error="m", micro=False).save(out, kind="svg", border=0, xmldecl=False, svgns=True)
    return out.getvalue().decode()

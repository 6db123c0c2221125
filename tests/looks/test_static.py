import gzip
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [path for path in (ROOT / "templates").rglob("*.html") if "mail" not in path.parts]
INLINE = re.compile(r"""\sstyle=|\son[a-z]+=|<style|<script(?![^>]*\ssrc=)|javascript:|hx-on|\{\#[^}]*\n""")


def size(*paths: Path) -> int:
    return sum(len(gzip.compress(path.read_bytes(), 9)) for path in paths)


def test_styles_and_scripts_stay_small() -> None:
    assert size(*(ROOT / "static" / "css").glob("*.css")) <= 12_000
    scripts = ROOT / "static" / "js"
    names = {"app.js", "passkeys.js", "pay.js", "paying.js", "proof.js"}
    assert {path.name for path in scripts.iterdir()} == names
    assert size(scripts / "app.js", scripts / "paying.js") <= 3_000
    assert size(scripts / "pay.js") <= 3_000  # on the pay host only, beside Stripe's own script


def test_no_page_has_inline_script_or_style() -> None:
    found = {str(path): INLINE.findall(re.sub(r"\{%.*?%\}", "", path.read_text())) for path in PAGES}
    assert {path: what for path, what in found.items() if what} == {}


def test_the_public_site_has_no_script() -> None:
    assert "<script" not in (ROOT / "templates/base.html").read_text()
    assert "<script" not in (ROOT / "templates/public/base.html").read_text()


@pytest.mark.browser
@pytest.mark.timeout(300)
@pytest.mark.parametrize("views", ["--two", pytest.param("--all", marks=pytest.mark.long)])
def test_the_gallery_has_no_findings(views: str) -> None:
    """Wide and narrow, light and dark: axe, the strict CSP, no sideways scroll."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.looks", views],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr

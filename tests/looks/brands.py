"""Whatever colour a tenant chooses, its pages stay readable: measured in the browser, in both schemes."""

from playwright.sync_api import Browser

from billing.colours import contrast
from tests.looks.gallery import PAGES

COLOURS = (
    "#ffe600", "#00ffff", "#00ff00", "#ff0000", "#0000ff", "#ff00ff", "#ff8800",
    "#000000", "#ffffff", "#7f7f7f", "#3b5bdb", "#0a0a40", "#00b894", "#8bc34a",
)  # fmt: skip
NAMES = ("--accent", "--accent-hover", "--accent-text", "--page", "--sunken", "--surface", "--c1")
MEASURE = """names => {
  const pen = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const probe = document.body.appendChild(document.createElement("i"));
  return names.map(name => {
    probe.style.color = `var(${name})`;
    pen.clearRect(0, 0, 1, 1);
    pen.fillStyle = getComputedStyle(probe).color;
    pen.fillRect(0, 0, 1, 1);
    const bytes = [...pen.getImageData(0, 0, 1, 1).data].slice(0, 3);
    return "#" + bytes.map(byte => byte.toString(16).padStart(2, "0")).join("");
  });
}"""


def unreadable(browser: Browser, base: str) -> list[str]:
    """Name every pair below 4.5:1 for text, 3:1 for what a chart draws."""
    wrong = []
    for dark in (False, True):
        context = browser.new_context(color_scheme="dark" if dark else "light", bypass_csp=True)
        page = context.new_page()
        page.goto(base + PAGES["portal"])
        for colour in COLOURS:
            page.evaluate("it => document.documentElement.style.setProperty('--brand', it)", colour)
            button, hover, text, ground, sunken, surface, drawn = page.evaluate(MEASURE, list(NAMES))
            pairs = {
                "button": (button, "#ffffff", 4.5),
                "button under the pointer": (hover, "#ffffff", 4.5),
                "link": (text, ground, 4.5),
                "link on grey": (text, sunken, 4.5),
                "chart": (drawn, surface, 3),
            }
            for name, (one, other, least) in pairs.items():
                if (ratio := contrast(one, other)) < least:
                    wrong.append(
                        f"{colour} {'dark' if dark else 'light'}: {name} {one} on {other} {ratio:.2f}"
                    )
        context.close()
    return wrong

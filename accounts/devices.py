"""What a device is called, and which network an address belongs to: pure."""

import re
from ipaddress import IPv4Address, ip_address, ip_network

# The first that matches wins: most browsers claim to be several others as well.
BROWSERS = (
    ("Edge", r"\bEdg(?:e|A|iOS)?/"),
    ("Opera", r"\b(?:OPR|OPT|Opera)/"),
    ("Samsung Internet", r"\bSamsungBrowser/"),
    ("Vivaldi", r"\bVivaldi/"),
    ("Firefox", r"\b(?:Firefox|FxiOS)/"),
    ("Chromium", r"\bChromium/"),
    ("Chrome", r"\b(?:Headless)?(?:Chrome|CriOS)/"),
    ("Safari", r"\bVersion/[\d.]+.*\bSafari/"),
)
SYSTEMS = (
    ("iPhone", r"\biPhone\b"),
    ("iPad", r"\biPad\b"),
    ("Android", r"\bAndroid\b"),
    ("Windows", r"\bWindows\b"),
    ("a Chromebook", r"\bCrOS\b"),
    ("Mac", r"\bMacintosh\b|\bMac OS X\b"),
    ("Linux", r"\bLinux\b|\bX11\b"),
)
PROGRAM = re.compile(r"\A([A-Za-z][\w.-]{1,30})/\d")
UNKNOWN = "Unknown device"
PREFIX_V4, PREFIX_V6 = 24, 48


def device_of(user_agent: str) -> str:
    """Return what a person would call the device: "Firefox on Windows", or the program's own name."""
    browser = _first(BROWSERS, user_agent)
    system = _first(SYSTEMS, user_agent)
    if browser and system:
        return f"{browser} on {system}"
    if browser or system:
        return browser or system.removeprefix("a ")
    program = PROGRAM.match(user_agent)
    return program.group(1) if program and program.group(1) != "Mozilla" else UNKNOWN


def is_handheld(device: str) -> bool:
    """Tell whether a device of this name is a phone or a tablet."""
    return device.endswith(("iPhone", "iPad", "Android"))


def network_of(ip: str | None) -> str:
    """Return the network that an address belongs to, as wide as a household or an office."""
    if not ip:
        return ""
    address = ip_address(ip)
    width = PREFIX_V4 if isinstance(address, IPv4Address) else PREFIX_V6
    return str(ip_network((address, width), strict=False))


def _first(names: tuple[tuple[str, str], ...], user_agent: str) -> str:
    return next((name for name, pattern in names if re.search(pattern, user_agent)), "")

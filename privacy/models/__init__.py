"""Models of the privacy app."""

from privacy.models.closings import Closing, Erasure
from privacy.models.consents import Consent, ConsentText
from privacy.models.incidents import Incident, IncidentNotice, IncidentRotation, IncidentScope
from privacy.models.limits import Hold, Restriction

__all__ = [
    "Closing",
    "Consent",
    "ConsentText",
    "Erasure",
    "Hold",
    "Incident",
    "IncidentNotice",
    "IncidentRotation",
    "IncidentScope",
    "Restriction",
]

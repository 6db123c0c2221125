"""Models of the privacy app."""

from privacy.models.consents import Consent, ConsentText
from privacy.models.incidents import Incident, IncidentNotice, IncidentRotation, IncidentScope
from privacy.models.limits import Hold, Restriction

__all__ = [
    "Consent",
    "ConsentText",
    "Hold",
    "Incident",
    "IncidentNotice",
    "IncidentRotation",
    "IncidentScope",
    "Restriction",
]

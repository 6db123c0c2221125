"""Models of the privacy app."""

from privacy.models.consents import Consent, ConsentText
from privacy.models.exports import ExportFile
from privacy.models.incidents import Incident, IncidentNotice, IncidentRotation, IncidentScope
from privacy.models.limits import Hold, Restriction
from privacy.models.news import News

__all__ = [
    "Consent",
    "ConsentText",
    "ExportFile",
    "Hold",
    "Incident",
    "IncidentNotice",
    "IncidentRotation",
    "IncidentScope",
    "News",
    "Restriction",
]

"""Models of the privacy app."""

from privacy.models.consents import Consent, ConsentText
from privacy.models.disclosures import Disclosure, UnderageReport
from privacy.models.incidents import Incident, IncidentNotice, IncidentRotation, IncidentScope
from privacy.models.limits import Hold, Restriction
from privacy.models.requests import DataRequest, ReceivedMail, Reply, RequestSubject

__all__ = [
    "Consent",
    "ConsentText",
    "DataRequest",
    "Disclosure",
    "Hold",
    "Incident",
    "IncidentNotice",
    "IncidentRotation",
    "IncidentScope",
    "ReceivedMail",
    "Reply",
    "RequestSubject",
    "Restriction",
    "UnderageReport",
]

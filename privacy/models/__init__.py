"""Models of the privacy app."""

from privacy.models.closings import Closing, Erasure
from privacy.models.consents import Consent, ConsentText, KeptConsent
from privacy.models.disclosures import Disclosure, UnderageReport
from privacy.models.exports import ExportFile
from privacy.models.incidents import Incident, IncidentNotice, IncidentRotation, IncidentScope
from privacy.models.limits import Hold, Restriction
from privacy.models.messages import ContactMessage, ContactReply
from privacy.models.news import News
from privacy.models.policies import PolicyNotice, PolicyRound, PolicyVersion
from privacy.models.requests import DataRequest, ReceivedMail, Reply, RequestSubject

__all__ = [
    "Closing",
    "Consent",
    "ConsentText",
    "ContactMessage",
    "ContactReply",
    "DataRequest",
    "Disclosure",
    "Erasure",
    "ExportFile",
    "Hold",
    "Incident",
    "IncidentNotice",
    "IncidentRotation",
    "IncidentScope",
    "KeptConsent",
    "News",
    "PolicyNotice",
    "PolicyRound",
    "PolicyVersion",
    "ReceivedMail",
    "Reply",
    "RequestSubject",
    "Restriction",
    "UnderageReport",
]

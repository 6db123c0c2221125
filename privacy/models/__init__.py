"""Models of the privacy app."""

from privacy.models.consents import Consent, ConsentText
from privacy.models.incidents import Incident, IncidentNotice, IncidentRotation, IncidentScope
from privacy.models.limits import Hold, Restriction
from privacy.models.messages import ContactMessage, ContactReply
from privacy.models.policies import PolicyNotice, PolicyRound, PolicyVersion

__all__ = [
    "Consent",
    "ConsentText",
    "ContactMessage",
    "ContactReply",
    "Hold",
    "Incident",
    "IncidentNotice",
    "IncidentRotation",
    "IncidentScope",
    "PolicyNotice",
    "PolicyRound",
    "PolicyVersion",
    "Restriction",
]

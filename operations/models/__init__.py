"""What running the platform keeps: requests of the last days, and alerts about abuse."""

from operations.models.alerts import Alert
from operations.models.requests import RequestLog

__all__ = ["Alert", "RequestLog"]

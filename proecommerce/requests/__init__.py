"""The staff's desk for people's data: requests, children, disclosures to authorities, legal holds."""

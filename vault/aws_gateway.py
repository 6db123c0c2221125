"""How AWS is reached, for the gateways to its services: one client a process, with short timeouts."""

import logging
import os
from typing import Any

import boto3
from botocore.config import Config

# botocore logs whole response bodies, and with them the keys, at DEBUG.
for _name in ("botocore", "boto3"):
    logging.getLogger(_name).setLevel(logging.INFO)


class Service:
    """One service of AWS, or what answers like it at `endpoint`; times in seconds."""

    def __init__(
        self, name: str, *, region: str, endpoint: str | None, read_timeout: int, connect_timeout: int = 3
    ) -> None:
        self.where = endpoint or f"region {region}"
        self._name, self._region, self._endpoint = name, region, endpoint
        self._timeouts = (connect_timeout, read_timeout)
        self._made: tuple[int, Any] = (0, None)

    def client(self) -> Any:
        """Return this process's client; a forked child makes its own, for sockets cannot be shared."""
        pid, client = self._made
        if client is None or pid != os.getpid():
            client = self._make()
            self._made = (os.getpid(), client)
        return client

    def _make(self) -> Any:
        connect, read = self._timeouts
        # A session of its own: boto3's default one may not be shared by threads that make clients.
        return boto3.session.Session().client(
            self._name,
            region_name=self._region,
            endpoint_url=self._endpoint,
            config=Config(
                connect_timeout=connect,
                read_timeout=read,
                retries={"mode": "standard", "total_max_attempts": 2},
                s3={"addressing_style": "path" if self._endpoint else "auto"},
            ),
        )

"""Jobs that tell people of a new version of the policy."""

from uuid import UUID

from privacy import policy_notices
from tenants import clock
from tenants.jobs import enqueue, job


@job("privacy.plan_policy_notices")
def plan_policy_notices(*, version_id: str) -> None:
    """Write down who is to be told, and begin."""
    policy_notices.plan(UUID(version_id), now=clock.now())


@job("privacy.send_policy_notices", outside=True)
def send_policy_notices(*, version_id: str) -> None:
    """Mail some, and ask for the rest."""
    following = policy_notices.send_batch(UUID(version_id), now=clock.now())
    if following is not None:
        enqueue("privacy.send_policy_notices", run_at=following, version_id=version_id)


@job("privacy.retry_policy_notices")
def retry_policy_notices(*, version_id: str) -> None:
    """Try those again that failed."""
    policy_notices.retry_here(UUID(version_id), now=clock.now())


@job("privacy.give_up_policy_notices")
def give_up_policy_notices(*, version_id: str, because: str, by: str) -> None:
    """Leave those alone that cannot be reached."""
    policy_notices.give_up_here(UUID(version_id), because=because, by=by, now=clock.now())

"""The page of the hosts: what to set, what became of it, what can be taken out."""

from typing import Any

from django.test import Client

from accounts import jobs
from accounts.models import BackupCode, Passkey
from tenants import claiming, proving
from tenants.context import enter_public
from tenants.models import Host, HostProof, Job
from tests.accounts.conftest import log_in
from tests.accounts.factors import with_app, with_codes

PATH = "/manage/settings/hosts/"
NAME = "billing.lind.example"


def test_a_name_is_added_with_the_records_to_set(owner: Client, tenant: Any) -> None:
    assert b"alpha.localhost" in owner.get(PATH).content
    answer = owner.post(PATH, {"hostname": NAME}, follow=True)
    proof = claiming.claims_of(tenant)[0]
    html = answer.content.decode()
    for told in (
        NAME,
        f"_proecommerce.{NAME}",
        proving.txt_value(proof.token),
        "CNAME",
        "Waiting for its proof",
    ):
        assert told in html
    owner.post(f"{PATH}claims/{proof.pk}/look/")
    owner.post(f"{PATH}claims/{proof.pk}/withdraw/")
    assert claiming.claims_of(tenant) == []


def test_a_name_that_is_not_theirs_is_refused_in_words(owner: Client) -> None:
    answer = owner.post(PATH, {"hostname": "beta.localhost"})
    assert answer.status_code == 422
    assert "Enter one like" in answer.content.decode()


def test_the_primary_is_switched_and_others_are_taken_out(owner: Client, tenant: Any, now: Any) -> None:
    with enter_public():
        own = Host.objects.create(hostname=NAME, tenant=tenant, schema_name="t_alpha", created_at=now)
        given = Host.objects.get(tenant=tenant, is_primary=True)
    page = owner.post(f"{PATH}{own.pk}/primary/", follow=True).content.decode()
    assert "from now on" in page
    assert "always stays yours" in owner.post(f"{PATH}{given.pk}/remove/", follow=True).content.decode()
    owner.post(f"{PATH}{given.pk}/primary/")
    owner.post(f"{PATH}{own.pk}/remove/")
    assert [host.hostname for host in claiming.hosts_of(tenant)] == ["alpha.localhost"]


def test_passkeys_of_a_host_that_is_taken_out_lock_nobody_out(
    owner: Client, tenant: Any, people: Any, now: Any
) -> None:
    """Who had nothing else goes on by a password of 15 signs, or by the link that sets one; all are told."""
    with enter_public():
        own = Host.objects.create(hostname=NAME, tenant=tenant, schema_name="t_alpha", created_at=now)
    alone, beside = people("alone@lind.example", password="kelp on moss"), people("beside@lind.example")
    for user in (alone, beside):
        Passkey.objects.create(
            user=user, name="P", host=NAME, credential_id=user.pk.bytes, public_key=b"k", created_at=now
        )
        with_codes(user, now)
    with_app(beside, now)
    client = Client(HTTP_HOST="alpha.localhost")
    asked = log_in(client, alone.email, "kelp on moss")
    page = client.get(asked["Location"]).content.decode()
    assert f'href="http://{NAME}/log-in/"' in page and "does not work at this address" in page
    assert "2 people have passkeys that work only there" in owner.get(PATH).content.decode()
    owner.post(f"{PATH}{own.pk}/remove/")
    (job,) = Job.objects.filter(name="accounts.forget_host", schema_name=tenant.schema_name)
    jobs.forget_host(**job.args)
    assert not Passkey.objects.exists()
    assert BackupCode.objects.filter(user=alone).count() == 0
    assert BackupCode.objects.filter(user=beside).count() == 10
    told = Job.objects.filter(name="accounts.mail_notice", args__kind="host_removed")
    assert {each.args["user_id"] for each in told} == {str(alone.pk), str(beside.pk)}
    assert log_in(Client(HTTP_HOST="alpha.localhost"), alone.email, "kelp on moss").status_code == 403
    assert Job.objects.filter(name="accounts.mail_reset", args__user_id=str(alone.pk)).count() == 1
    beside_page = log_in(Client(HTTP_HOST="alpha.localhost"), beside.email)
    assert beside_page["Location"] == "/log-in/second/"


def test_passkeys_stay_when_the_host_is_back(tenant: Any, people: Any, now: Any) -> None:
    user = people()
    Passkey.objects.create(
        user=user, name="P", host="alpha.localhost", credential_id=b"1", public_key=b"k", created_at=now
    )
    jobs.forget_host(hostname="alpha.localhost")
    assert Passkey.objects.count() == 1


def test_another_tenants_hosts_and_claims_are_out_of_reach(
    owner: Client, two_tenants: Any, actor: Any, now: Any
) -> None:
    from tenants.context import enter

    beta = two_tenants[1]
    with enter(beta):
        proof = claiming.claim(NAME, actor=actor, now=now)
    with enter_public():
        host = Host.objects.get(tenant=beta)
    assert NAME not in owner.get(PATH).content.decode()
    for path in (
        f"claims/{proof.pk}/look/",
        f"claims/{proof.pk}/withdraw/",
        f"{host.pk}/primary/",
        f"{host.pk}/remove/",
    ):
        assert owner.post(f"{PATH}{path}").status_code == 404
    with enter_public():
        assert HostProof.objects.filter(pk=proof.pk).exists() and Host.objects.filter(pk=host.pk).exists()

"""The page of the hosts: what to set, what became of it, what can be taken out."""

from typing import Any

from django.test import Client

from tenants import claiming, proving
from tenants.context import enter_public
from tenants.models import Host, HostProof

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

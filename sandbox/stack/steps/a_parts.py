"""Every part answers, each at its own address."""

from urllib.parse import urlsplit

from sandbox.stack.steps.registry import World, fail, step


@step("public home")
def public_home(world: World) -> None:
    page = world.get(world.site + "/")
    if "<html" not in page.text:
        fail("the home page is not HTML")


@step("log-in page of the admin")
def admin_login(world: World) -> None:
    world.get(world.site + "/admin/login/", status=302)
    world.get(world.site + "/log-in/?next=/admin/")


@step("the admin is on the public host only")
def admin_elsewhere(world: World) -> None:
    for base in (*_tenants(world), world.pay):
        world.get(base + "/admin/login/", status=404)


@step("portal of each tenant")
def portals(world: World) -> None:
    for base in _tenants(world):
        answer = world.client(base).get("/", follow_redirects=False)
        if answer.status_code not in (200, 302):
            fail(f"{base}/ answered {answer.status_code}")


@step("an unknown host is refused")
def unknown_host(world: World) -> None:
    answer = world.client(world.tenant("nobody-has-this-name")).get("/")
    if answer.status_code not in (400, 404):
        fail(f"answered {answer.status_code}")


@step("mail: web page")
def mail_page(world: World) -> None:
    world.get(world.environment["MAIL_WEB_URL"] + "/")


@step("Stripe stand-in: health")
def stripe_health(world: World) -> None:
    world.get(world.environment["STRIPE_API_BASE"] + "/healthz")


@step("AWS (moto): health")
def moto_health(world: World) -> None:
    world.get(world.environment["AWS_ENDPOINT_URL"] + "/moto-api/")


def _tenants(world: World) -> list[str]:
    """The addresses of the seeded tenants, from the log-ins."""
    suffix = "." + urlsplit(world.site).netloc
    hosts = {urlsplit(login["url"]).netloc for login in world.logins}
    found = sorted(
        f"http://{host}" for host in hosts if host.endswith(suffix) and not host.startswith("pay.")
    )
    return found or fail("no log-in names a tenant's host")

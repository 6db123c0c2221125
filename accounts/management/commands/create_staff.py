"""`manage.py create_staff`: a log-in for the platform's own staff, in the admin on the public host."""

from getpass import getpass
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import User
from accounts.people import EmailTaken, create_user
from audit.actors import Actor
from tenants import clock
from tenants.context import enter_public


class Command(BaseCommand):
    help = "Makes a log-in for the platform's staff. Asks for the password."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--name", required=True)

    def handle(self, *args: Any, **options: Any) -> None:
        password = getpass("Password: ")
        try:
            validate_password(password, User(email=options["email"], name=options["name"]))
            with enter_public():
                create_user(
                    email=options["email"], name=options["name"], role=User.Role.PLATFORM, password=password,
                    actor=Actor.system("create_staff"), now=clock.now(),
                )  # fmt: skip
        except ValidationError as refused:
            raise CommandError(" ".join(refused.messages)) from refused
        except EmailTaken as refused:
            raise CommandError(str(refused)) from refused
        self.stdout.write(f"{options['email']} may log in at /admin/.")

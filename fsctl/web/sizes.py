"""How much may be sent to the panel: little by anybody, more by users, a file by administrators.

A form is parsed into many times its size, and before that nothing tells a stranger from a user but
their cookie or token. So the limit is set once it is known who asks, and before the form is read.
"""

from io import BytesIO
from typing import IO, Any

from flask import Request, request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import FormDataParser

from fsctl.store.web_users import User

STRANGERS = 16 * 1024
"""Bytes of a body from anybody: name, password, and where to go then."""
STRANGERS_FIELDS = 20
USERS = 2 * 1024 * 1024
"""Bytes of a body from a user: a group with some thousand members."""
USERS_FIELDS = 20_000
LARGEST = 32 * 1024 * 1024
"""Bytes of an import: some hundred thousand members."""
UPLOADS = frozenset({"transfer.import_", "api.parts.import_"})
"""Endpoints that take a file."""


class _FormParser(FormDataParser):
    """Werkzeug's, which counts the fields of a form without files too, before it takes it apart."""

    def parse(
        self,
        stream: IO[bytes],
        mimetype: str,
        content_length: int | None,
        options: dict[str, str] | None = None,
    ) -> Any:
        """Return stream, fields and files. Raises RequestEntityTooLarge."""
        if mimetype == "application/x-www-form-urlencoded" and self.max_form_parts is not None:
            body = stream.read()
            if body.count(b"&") >= self.max_form_parts:
                raise RequestEntityTooLarge
            stream = BytesIO(body)
        return super().parse(stream, mimetype, content_length, options)


class PanelRequest(Request):
    """A request whose form has a bounded number of fields.

    HEAD asks for the head of what GET shows, so it is GET to every page: one that changes something
    unless it is asked with GET would change it without a token, and for a viewer.
    """

    form_data_parser_class = _FormParser

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if self.method == "HEAD":
            self.method = "GET"


def largest_body(user: User | None, endpoint: str | None) -> int:
    """Return how many bytes somebody may send to an endpoint."""
    if user is None:
        return STRANGERS
    return LARGEST if user.role == "administrator" and endpoint in UPLOADS else USERS


def limit_body(user: User | None) -> None:
    """Bound the body of this request, now that it is known who asks."""
    largest = largest_body(user, request.endpoint)
    request.max_content_length = request.max_form_memory_size = largest
    request.max_form_parts = STRANGERS_FIELDS if user is None else USERS_FIELDS

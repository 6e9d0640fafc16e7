"""How the Generic Interface says no: inside HTTP 200, as a fault, or as a bare 500.

Source: recorded exchanges with OTOBO.
"""

from __future__ import annotations


class GiError(Exception):
    """HTTP 200 with `{"Error": {"ErrorCode", "ErrorMessage"}}`; both begin with the operation's name."""

    def __init__(self, operation: str, code: str, message: str) -> None:
        super().__init__(message)
        self.body = {"Error": {"ErrorCode": f"{operation}.{code}", "ErrorMessage": f"{operation}: {message}"}}


class Fault(Exception):  # noqa: N818 - the vendor's word
    """HTTP 500 with a `faultstring`: the check let it through, and then it could not be done."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.body = {"faultcode": "Server", "faultstring": text}


class BareError(Exception):
    """HTTP 500 with a plain text, or none, from the transport."""

    def __init__(self, text: str, content_type: str = "text/plain; charset=UTF-8") -> None:
        super().__init__(text)
        self.text, self.content_type = text, content_type

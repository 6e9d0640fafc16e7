"""The settings of a ServiceDesk Plus are checked when they are read."""

from __future__ import annotations

import json
import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from hub.connector import TemporaryError
from plugins.servicedesk_plus.connector import ServiceDeskPlusConnector
from plugins.servicedesk_plus.settings import ServiceDeskPlusSettings

OAUTH = {"client_id": "1000.X", "client_secret": "s", "refresh_token": "r"}
GOOD: dict[str, Any] = {
    "kind": "servicedesk-plus",
    "url": "https://sdp.example.com:8443",
    "flavour": "on_premises",
    "account": "hub@example.com",
    "credentials": {"technician_key": "k"},
}


def settings(**more: Any) -> ServiceDeskPlusSettings:
    return ServiceDeskPlusSettings.model_validate({**GOOD, **more})


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"flavour": "cloud"}, "flavour cloud needs credentials.client_id, client_secret and refresh_token"),
        ({"credentials": OAUTH}, "flavour on_premises needs credentials.technician_key"),
        ({"flavour": "cloud", "credentials": {**OAUTH, "client_id": ""}}, "flavour cloud needs"),
        ({"account": "Hub"}, "account"),
        ({"accounts_url": "accounts.zoho.eu"}, "must begin with https://"),
        ({"ca_file": "/no/such/file.pem"}, "cannot be read as certificates"),
    ],
)
def test_what_does_not_fit_is_refused_with_words(more: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        settings(**more)


def test_a_portal_stands_in_every_address() -> None:
    assert settings().app == ""
    assert settings(portal="itdesk").app == "/app/itdesk"


def test_a_file_that_holds_no_certificates_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_text("nothing")
    with pytest.raises(ValueError, match="certificates"):
        settings(ca_file=str(file))


class OneTechnician(BaseHTTPRequestHandler):
    """Answers everything with the list of the one technician."""

    def do_GET(self) -> None:
        rows = [{"id": "5", "name": "Hub Service", "email_id": "hub@example.com"}]
        body = json.dumps({"technicians": rows, "list_info": {"has_more_rows": False}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the test's output is the record."""


@pytest.fixture
def own_certificate(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """The address of a server whose certificate nobody else trusts, and the certificate's file."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not there to make a certificate")
    key, certificate = str(tmp_path / "key.pem"), str(tmp_path / "certificate.pem")
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate]
    made += ["-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    subprocess.run(made, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = ThreadingHTTPServer(("localhost", 0), OneTechnician)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"https://localhost:{server.server_port}", certificate
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_server_with_a_certificate_of_its_own_is_trusted_only_where_the_settings_say_so(
    own_certificate: tuple[str, str],
) -> None:
    url, certificate = own_certificate
    trusting = ServiceDeskPlusConnector("support", settings(url=url, ca_file=certificate))
    assert trusting.identify().account_id == "5"
    trusting.close()
    usual = ServiceDeskPlusConnector("support", settings(url=url))
    with pytest.raises(TemporaryError, match="its certificate is not trusted"):
        usual.identify()
    usual.close()

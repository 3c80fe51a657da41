"""A model hub on a loopback port, in a thread: the few routes that fetching a model takes."""

import hashlib
import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class Hub:
    """What the hub has, and what it was asked for."""

    name: str
    files: Mapping[str, bytes]
    status: int = 200
    error_code: str = ""
    """What the hub calls its refusal, such as ``GatedRepo``."""
    url: str = ""
    asked: list[str] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)


@contextmanager
def scripted_hub(name: str, files: Mapping[str, bytes]) -> Iterator[Hub]:
    """Serve one model; its files can be looked at and fetched."""
    hub = Hub(name, files)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(hub))
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(hub: Hub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer(with_body=True)

        def do_HEAD(self) -> None:
            self._answer(with_body=False)

        def _answer(self, *, with_body: bool) -> None:
            hub.asked.append(f"{self.command} {self.path}")
            hub.tokens.add(self.headers.get("authorization", ""))
            status, headers, body = _reply(hub, self.path.partition("?")[0])
            self.send_response(status)
            for key, value in headers.items():
                self.send_header(key, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            if with_body:
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    return Handler


def _reply(hub: Hub, path: str) -> tuple[int, dict[str, str], bytes]:
    if hub.status != 200:
        code = {"x-error-code": hub.error_code} if hub.error_code else {}
        return hub.status, code, b"{}"
    if re.fullmatch(rf"/api/models/{hub.name}/tree/\w+", path):
        return 200, {"content-type": "application/json"}, _tree(hub)
    if path.startswith(f"/api/models/{hub.name}"):
        return 200, {"content-type": "application/json"}, _info(hub)
    name = path.removeprefix(f"/{hub.name}/resolve/{COMMIT}/")
    if name in hub.files:
        return 200, _of_file(hub.files[name]), hub.files[name]
    return 404, {"x-error-code": "EntryNotFound"}, b"{}"


def _info(hub: Hub) -> bytes:
    files = [{"rfilename": name, "size": len(body)} for name, body in hub.files.items()]
    return json.dumps({"id": hub.name, "sha": COMMIT, "siblings": files}).encode()


def _tree(hub: Hub) -> bytes:
    files = [
        {"type": "file", "path": name, "size": len(body), "oid": hashlib.sha1(body).hexdigest()}
        for name, body in hub.files.items()
    ]
    return json.dumps(files).encode()


def _of_file(body: bytes) -> dict[str, str]:
    return {"etag": f'"{hashlib.sha1(body).hexdigest()}"', "x-repo-commit": COMMIT}

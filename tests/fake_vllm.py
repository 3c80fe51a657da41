"""A stand-in for vLLM's process tree: ``python fake_vllm.py MODE --uds SOCKET``.

It answers health checks on SOCKET and has a worker that left its session. MODE: ``serve``, ``die``
(fails while starting), ``never`` (never listens), ``stubborn`` (the worker ignores SIGTERM),
``escape`` (the worker has lost its parent).
"""

import json
import os
import signal
import socketserver
import sys
import time
from http.server import BaseHTTPRequestHandler

FAILURE = """\
(APIServer pid=7) INFO 11-22 07:41:00 [api_utils.py:286] starting
(EngineCore pid=8) ERROR 11-22 07:41:34 [core.py:900] Traceback (most recent call last):
(EngineCore pid=8) ERROR 11-22 07:41:34 [core.py:900] ValueError: no such \x1b[31mmodel\x1b[0m
(APIServer pid=7) RuntimeError: Engine core initialization failed. See root cause above.
"""


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        models = {"data": [{"id": "fake-model", "max_model_len": 2048}]}
        body = json.dumps(models).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self) -> str:
        return "socket"


def work(mode: str) -> None:
    if os.fork():
        return
    os.setsid()
    if mode == "escape" and os.fork():
        os._exit(0)
    if mode == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(600)
    os._exit(0)


def main() -> None:
    mode, _, path = sys.argv[1:]
    if mode == "die":
        sys.exit(FAILURE)
    work(mode)
    if mode == "never":
        time.sleep(600)
    with socketserver.UnixStreamServer(path, Handler) as server:
        server.serve_forever()


if __name__ == "__main__":
    main()

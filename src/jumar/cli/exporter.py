"""`jumar exporter`: what monitoring asks for, over HTTP: a server's chips under the vendor's and NVIDIA's metric names."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NoReturn

from jumar import attachment, inventory
from jumar.cli import servers
from jumar.cli.refusal import Refusal
from jumar.report import monitoring
from jumar.report.monitoring import dashboard

PORT = 8082
ADDRESS = "127.0.0.1"
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
BOTH = {"npu": "npu-exporter", "dcgm": "dcgm-exporter"}
DASHBOARD = "grafana-dashboard.json"
DASHBOARDS = Path(monitoring.__file__).parent / "dashboards"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--port", type=int, default=PORT, metavar="P", help=f"where to listen (default: {PORT})"
    )
    parser.add_argument(
        "--address",
        default=ADDRESS,
        metavar="A",
        help=f"on which address (default: {ADDRESS}, this machine alone)",
    )
    parser.add_argument(
        "--server",
        metavar="NAME",
        help="name or directory of the server (default: the only one there is, now or later)",
    )
    parser.add_argument(
        "--names", choices=(*BOTH, "both"), default="both",
        help="npu: those of the vendor's npu-exporter; dcgm: those of NVIDIA's dcgm-exporter (default: both)",
    )  # fmt: skip
    parser.add_argument(
        "--as", dest="persona", metavar="GPU", help="the GPU that dcgm's labels name (default: A100)"
    )
    parser.add_argument("--once", action="store_true", help="print what would be read now, and end")
    parser.add_argument(
        "--write",
        metavar="DIR",
        help="write the Grafana dashboard, the alert rules and a Prometheus configuration there",
    )


def execute(chosen: argparse.Namespace) -> int:
    if chosen.write:
        return write(Path(chosen.write))
    attachment.introduce_chips()
    _check(chosen)
    if chosen.once:
        _read(chosen)
        sys.stdout.write(metrics(chosen).decode())
        return 0
    if servers.live():
        _read(chosen)  # of several one must be named; there may be none yet
    listen(chosen)


def _check(chosen: argparse.Namespace) -> None:
    from jumar.cudamap import personas

    try:
        personas.find(chosen.persona or personas.default())
    except personas.UnknownPersona as error:
        raise Refusal(f"--as: {error}") from error


def _read(chosen: argparse.Namespace) -> None:
    """Refuses what can never be read."""
    try:
        inventory.of_server(servers.find(chosen.server))
    except inventory.NoChips as error:
        raise Refusal(str(error)) from error


def metrics(chosen: argparse.Namespace) -> bytes:
    """The text of this moment. Without a server there are no chips, which is a true answer: it may come later."""
    from jumar.cudamap import personas
    from jumar.report.monitoring import exposition, readings

    try:
        found = inventory.of_server(servers.find(chosen.server))
    except (Refusal, inventory.NoChips):  # none yet, several by now, or it has just ended
        found = []
    names = list(BOTH.values()) if chosen.names == "both" else [BOTH[chosen.names]]
    persona = personas.find(chosen.persona or personas.default())
    return exposition.text(readings.of_chips(found), [*names, "jumar"], persona)


def handler(chosen: argparse.Namespace) -> type[BaseHTTPRequestHandler]:
    """What answers each of Prometheus's visits."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = self.path.partition("?")[0] in ("/metrics", "/")
            body = metrics(chosen) if known else b"look at /metrics\n"
            self.send_response(200 if known else 404)
            self.send_header("Content-Type", CONTENT_TYPE)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *values: object) -> None:
            """Says nothing of a visit."""

    return Handler


def listen(chosen: argparse.Namespace) -> NoReturn:
    """Answers until it is stopped."""
    try:
        server = ThreadingHTTPServer((chosen.address, chosen.port), handler(chosen))
    except (OSError, OverflowError) as error:
        raise Refusal(
            f"cannot listen on {chosen.address}:{chosen.port} ({error}); choose another --port"
        ) from error
    with server:
        where = f"http://{chosen.address}:{server.server_address[1]}/metrics"
        print(f"jumar: metrics at {where}; Ctrl-C ends it", file=sys.stderr, flush=True)
        server.serve_forever()
    raise AssertionError("a server that answers for ever has ended")


def write(directory: Path) -> int:
    """Copies what stands ready; says what to do with it."""
    directory.mkdir(parents=True, exist_ok=True)
    for source in sorted(DASHBOARDS.iterdir()):
        shutil.copyfile(source, directory / source.name)
        print(directory / source.name)
    place = directory / DASHBOARD
    place.write_text(json.dumps(dashboard.build(), indent=2) + "\n", encoding="utf-8")
    print(place)
    return 0

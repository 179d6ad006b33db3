"""What Apache is on a real cobbler: /cobbler_api and /cblr/svc on one port. Run by cobbler's own Python."""

from __future__ import annotations

import ssl
import sys
import urllib.request
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

sys.path.insert(0, "/var/www/cobbler/svc")


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        pass


def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path.startswith("/cblr/svc/"):
        import services

        return services.application({**environ, "REQUEST_URI": path}, start_response)
    if path == "/cobbler_api":
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        request = urllib.request.Request(
            f"http://127.0.0.1:{sys.argv[2]}/RPC2", body, {"Content-Type": "text/xml"}
        )
        with urllib.request.urlopen(request) as answer:
            start_response("200 OK", [("Content-Type", "text/xml")])
            return [answer.read()]
    start_response("404 Not Found", [])
    return [b""]


if __name__ == "__main__":
    server = make_server("127.0.0.1", int(sys.argv[1]), application, Server, Quiet)
    if len(sys.argv) > 3:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[3])
        server.socket = context.wrap_socket(server.socket, server_side=True)
    server.serve_forever()

"""A small HTTP server that answers every path with 200. Usage: server.py PORT, or server.py /path/of.socket"""

import socket
import socketserver
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        body = (self.path[1:] + "\n").encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

    def address_string(self):
        return "client"


class UnixServer(ThreadingHTTPServer):
    address_family = socket.AF_UNIX

    def server_bind(self):
        # HTTPServer.server_bind looks up a host name, which a path has not.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "unix", 0


address = sys.argv[1]
server = UnixServer(address, Handler) if address.startswith("/") else ThreadingHTTPServer(("127.0.0.1", int(address)), Handler)
server.serve_forever()

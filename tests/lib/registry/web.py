# SPDX-License-Identifier: Apache-2.0
"""What the tests' servers share: HTTP/1.1 on loopback, one thread a connection, TLS if asked for, a
port that the system chose written to a file, and a log of every request, one a line:

    METHOD PATH STATUS in=BYTES out=BYTES [rule=TEXT] {Name: value} {Name: value} … [body=TEXT]

so that a test asks with grep who sent what. Control bytes in it are written as \\xNN.
"""
import argparse
import http.server
import os
import re
import socket
import ssl
import struct
import sys
import threading

BLOCK = 64 << 10


def parser(text):
    p = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--port-file', required=True, help='write the port here once it listens')
    p.add_argument('--port', type=int, default=0)
    p.add_argument('--log', default='/dev/null', help='append a line for each request')
    p.add_argument('--cert', help='speak TLS with this certificate')
    p.add_argument('--key')
    p.add_argument('--client-ca', help='want a client certificate of this authority')
    return p


def plain(text):
    return re.sub(r'[\x00-\x1f\x7f]', lambda m: f'\\x{ord(m.group()):02x}', str(text))


class Hangup(Exception):
    """Ends the connection at once."""


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, handler, args):
        super().__init__(('127.0.0.1', args.port), handler)
        self.args = args
        self.log = open(args.log, 'a', buffering=1, encoding='utf-8', errors='surrogateescape')
        self.log_lock = threading.Lock()
        self.tls = None
        if args.cert:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(args.cert, args.key)
            if args.client_ca:
                self.tls.load_verify_locations(args.client_ca)
                self.tls.verify_mode = ssl.CERT_REQUIRED

    def finish_request(self, request, client_address):
        if self.tls:  # here, in the connection's own thread
            request.settimeout(30)
            request = self.tls.wrap_socket(request, server_side=True)
            request.settimeout(None)
        super().finish_request(request, client_address)

    def handle_error(self, request, client_address):
        kind, what, _ = sys.exc_info()
        if not issubclass(kind, (OSError, Hangup, ssl.SSLError)):
            super().handle_error(request, client_address)

    @property
    def origin(self):
        return f'{"https" if self.tls else "http"}://127.0.0.1:{self.server_port}'


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    disable_nagle_algorithm = True
    rule = ''
    status = 0
    received = sent = 0
    shown_body = None

    # --- requests -----------------------------------------------------------------------------
    def chunks(self):
        """The request's body, piece by piece."""
        if 'chunked' in self.headers.get('Transfer-Encoding', '').lower():
            while True:
                size = int(self.rfile.readline().split(b';')[0], 16)
                left = size
                while left:
                    data = self.rfile.read1(min(left, BLOCK))
                    if not data:
                        raise Hangup
                    left -= len(data)
                    self.received += len(data)
                    yield data
                self.rfile.readline()
                if size == 0:
                    return
        left = int(self.headers.get('Content-Length') or 0)
        while left:
            data = self.rfile.read1(min(left, BLOCK))
            if not data:
                raise Hangup
            left -= len(data)
            self.received += len(data)
            yield data

    def body(self):
        return b''.join(self.chunks())

    # --- answers ------------------------------------------------------------------------------
    def head(self, status, headers):
        """Status and headers; no Content-Length is added."""
        self.status = status
        self.send_response_only(status)
        for name, value in (headers.items() if isinstance(headers, dict) else headers):
            self.send_header(name, value)
        self.end_headers()

    def put(self, data):
        if data and self.command != 'HEAD':
            self.wfile.write(data)
            self.sent += len(data)

    def answer(self, status, body=b'', kind='application/json', **headers):
        if isinstance(body, str):
            body = body.encode('utf-8', 'surrogateescape')
        self.head(status, {'Content-Type': kind, 'Content-Length': str(len(body)),
                           **{k.replace('_', '-'): v for k, v in headers.items()}})
        self.put(body)

    def hang_up(self, reset=False):
        self.close_connection = True
        if reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        raise Hangup

    # --- the log ------------------------------------------------------------------------------
    def log_message(self, *args):
        pass

    def note(self):
        if not getattr(self, 'path', None) or not hasattr(self, 'headers'):
            return
        line = f'{self.command} {plain(self.path)} {self.status} in={self.received} out={self.sent}'
        if self.rule:
            line += f' rule={plain(self.rule)}'
        for name, value in self.headers.items():
            line += f' {{{plain(name)}: {plain(value)}}}'
        if self.shown_body is not None:
            line += f' body={plain(self.shown_body)}'
        with self.server.log_lock:
            self.server.log.write(line + '\n')

    def any_method(self):
        self.rule, self.status, self.received, self.sent, self.shown_body = '', 0, 0, 0, None
        try:
            self.serve()
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
        finally:
            self.note()

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_CONNECT = any_method


def serve(handler, args):
    server = Server(handler, args)
    temporary = args.port_file + '.new'
    with open(temporary, 'w') as f:
        f.write(f'{server.server_port}\n')
    os.rename(temporary, args.port_file)
    server.serve_forever()

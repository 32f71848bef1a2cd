#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An HTTP proxy behind which there is nothing but Docker Hub's search: CONNECT index.docker.io:443 leads
to a TLS server with --cert, which answers GET /v1/search as the Hub does, but for `nameless` with a result that has no name.
Everything else is 403.
"""
import http.server
import json
import ssl
import sys
import urllib.parse

import web

RESULTS = [
    {'name': 'gcc', 'description': 'The GNU Compiler Collection is a compiling system that supports several '
     'languages.', 'star_count': 791, 'is_official': True, 'is_automated': False},
    {'name': 'team/gcc-arm', 'description': 'two\nlines, and a \x1b[31mcolour', 'star_count': 7,
     'is_official': False, 'is_automated': True},
    {'name': 'team/none', 'description': None, 'star_count': 0, 'is_official': False, 'is_automated': False},
]


class Search(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        query = urllib.parse.parse_qs(url.query)
        self.server.log.write(f'GET {self.path}\n')
        found = RESULTS[:int(query.get('n', ['25'])[0])]
        if query.get('q') == ['nameless']:
            found = [{'description': 'of what?', 'star_count': 1}]
        body = json.dumps({'num_pages': 1, 'num_results': len(found), 'page': 1, 'page_size': 25,
                           'query': query.get('q', [''])[0], 'results': found}).encode()
        self.send_response(200 if url.path == '/v1/search' else 404)
        self.send_header('Content-Type', 'application/json')
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Proxy(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def do_CONNECT(self):
        self.server.log.write(f'CONNECT {self.path}\n')
        if self.path != 'index.docker.io:443':
            self.send_error(403)
            return
        self.send_response(200)
        self.end_headers()
        self.wfile.flush()
        try:
            inside = self.server.inside.wrap_socket(self.connection, server_side=True)
            Search(inside, self.client_address, self.server)
        except (OSError, ssl.SSLError):
            pass
        self.close_connection = True

    def log_message(self, *_):
        pass


def main():
    args = web.parser(__doc__).parse_args()
    server = http.server.ThreadingHTTPServer(('127.0.0.1', args.port), Proxy)
    server.daemon_threads = True
    server.log = open(args.log, 'a', buffering=1, encoding='utf-8')
    server.inside = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.inside.load_cert_chain(args.cert, args.key)
    with open(args.port_file, 'w', encoding='utf-8') as f:
        f.write(str(server.server_port))
    server.serve_forever()


sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A proxy in front of a registry that spoils what it is told to. Rules stand in a file, one a line:

    METHOD REGEX WHICH ACTION [NAME=VALUE]...

METHOD: a word, several (PUT|PATCH), or *. REGEX: is searched for in path and query. WHICH: the 1-based number of the request
among those that match this rule: 1, 2-4, 3-, or *. The first rule that matches in all three is taken.
A new rules file (by rename) starts the counting anew. Actions:

    pass                       nothing, but it stands in the log
    cut after=N [reset=1]      the answer's body ends after N bytes, with the connection
    cut-head                   the connection ends instead of an answer, after the whole request
    cut-request after=N        … after N bytes of the request's body; the registry gets nothing
    cut-upload after=N         … but the registry got these N bytes
    lose                       the registry gets all and answers, and the answer is lost
    delay s=S                  S seconds before the answer
    stall after=N s=S          S seconds in the middle of the answer's body
    slow rate=N                N bytes a second
    truncate after=N           a whole answer with only N bytes of body
    corrupt at=N [bits=1]      one byte of the body is another
    status code=N [after=N] [retry-after=TEXT] [date=S] [body=json|html|empty|big|bytes] [auth=TEXT]
                               an answer of our own after N bytes of the request (else all of it);
                               date: Retry-After as a date S seconds from now
    redirect to=URL [code=N]   "{self}" is this proxy, "{path}" the path and query asked for
    no-range                   Range is not passed on, nor told of
    bad-range text=T           Content-Range is T
    shift-range n=N            a 206 that begins N bytes later than was asked for
    length add=N               Content-Length says N more (or less)
    header name=N value=V      of the answer; without value it is taken away
    garbage                    bytes that are no HTTP
"""
import email.utils
import http.client
import os
import re
import shlex
import sys
import threading
import time
import urllib.parse

import web

HOP = {'connection', 'keep-alive', 'te', 'trailers', 'transfer-encoding', 'upgrade', 'proxy-connection'}
BODIES = {
    'json': b'{"errors":[{"code":"TOOBUSY","message":"made up by the proxy of the tests"}]}',
    'html': b'<html><head><title>Gateway</title></head><body><h1>Not a registry</h1></body></html>',
    'empty': b'',
    'big': b'x' * (4 << 20),
    'bytes': b'\x1b[2Jclear\x07\x00\xff\x9b31m',
}
KINDS = {'json': 'application/json', 'html': 'text/html'}


class Rule:
    def __init__(self, line):
        self.text = line
        words = shlex.split(line)
        self.methods, self.regex = words[0].split('|'), re.compile(words[1])
        which, self.action = words[2:4]
        first, dash, last = which.partition('-')
        self.first = 1 if which == '*' else int(first)
        self.last = float('inf') if which == '*' or (dash and not last) else int(last or first)
        self.words = dict(w.split('=', 1) for w in words[4:])
        self.seen = 0

    def number(self, name, default=0):
        return int(self.words.get(name, default))

    def wants(self, method, path):
        if '*' not in self.methods and method not in self.methods or not self.regex.search(path):
            return False
        self.seen += 1
        return self.first <= self.seen <= self.last


class Rules:
    def __init__(self, path):
        self.path, self.stamp, self.rules, self.lock = path, None, [], threading.Lock()

    def find(self, method, path):
        with self.lock:
            try:
                st = os.stat(self.path)
                if self.stamp != (st.st_ino, st.st_mtime_ns):
                    self.stamp = (st.st_ino, st.st_mtime_ns)
                    with open(self.path) as f:
                        self.rules = [Rule(l) for l in f if l.strip() and not l.startswith('#')]
            except FileNotFoundError:
                self.rules = []
            found = None
            for rule in self.rules:  # all of them count
                if rule.wants(method, path) and not found:
                    found = rule
            return found


class Handler(web.Handler):
    def serve(self):
        self.fault = self.server.rules.find(self.command, self.path)
        self.rule = self.fault.text if self.fault else ''
        action = self.fault.action if self.fault else 'pass'
        before = getattr(self, 'before_' + action.replace('-', '_'), None)
        if before and before() is not None:
            return
        self.forward(action)

    # --- instead of asking the registry ---------------------------------------------------------
    def eat(self, limit):
        if limit is None:
            for _ in self.chunks():
                pass
            return
        for _ in self.chunks():
            if self.received >= limit:
                return

    def before_cut_head(self):
        self.eat(None)
        self.hang_up()

    def before_cut_request(self):
        self.eat(self.fault.number('after'))
        self.hang_up(reset=True)

    def before_status(self):
        after = self.fault.words.get('after')
        self.eat(None if after is None else int(after))
        name = self.fault.words.get('body', 'json')
        body = BODIES[name]
        headers = {'Content-Type': KINDS.get(name, 'application/octet-stream'),
                   'Content-Length': str(len(body))}
        if 'retry-after' in self.fault.words:
            headers['Retry-After'] = self.fault.words['retry-after']
        if 'date' in self.fault.words:
            when = time.time() + self.fault.number('date')
            headers['Retry-After'] = email.utils.formatdate(when, usegmt=True)
        if 'auth' in self.fault.words:
            headers['WWW-Authenticate'] = self.fault.words['auth']
        if after is not None:
            headers['Connection'] = 'close'
            self.close_connection = True
        self.head(self.fault.number('code', 500), headers)
        self.put(body)
        return True

    def before_redirect(self):
        self.eat(None)
        to = self.fault.words['to'].replace('{self}', self.server.origin).replace('{path}', self.path)
        self.head(self.fault.number('code', 307), {'Location': to, 'Content-Length': '0'})
        return True

    def before_garbage(self):
        self.eat(None)
        self.wfile.write(b'\x00\x01\x02SSH-2.0-nobody\r\n\r\n')
        self.hang_up()

    def before_delay(self):
        time.sleep(float(self.fault.words['s']))

    # --- asking it ------------------------------------------------------------------------------
    def outgoing(self, action):
        for name, value in self.headers.items():
            low = name.lower()
            if low in HOP or low == 'expect' or (action == 'no-range' and low == 'range'):
                continue
            if action == 'shift-range' and low == 'range':
                first, _, last = value.removeprefix('bytes=').partition('-')
                value = f'bytes={int(first) + self.fault.number("n")}-{last}'
            yield name, value
        if self.server.tls:
            yield 'X-Forwarded-Proto', 'https'

    def ask(self, action):
        up = http.client.HTTPConnection(self.server.args.upstream, timeout=120)
        up.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.outgoing(action):
            up.putheader(name, value)
        chunked = 'Transfer-Encoding' in self.headers
        if chunked:
            up.putheader('Transfer-Encoding', 'chunked')
        up.endheaders()
        limit = self.fault.number('after') if action == 'cut-upload' else None
        for data in self.chunks():
            if limit is not None and self.received > limit:
                data = data[:max(0, limit - (self.received - len(data)))]
            up.send(b'%x\r\n%s\r\n' % (len(data), data) if chunked and data else data)
            if limit is not None and self.received >= limit:
                time.sleep(0.2)  # let the registry take them
                up.close()
                self.hang_up(reset=True)
        if chunked:
            up.send(b'0\r\n\r\n')
        return up, up.getresponse()

    def forward(self, action):
        up, rs = self.ask(action)
        if action == 'lose':
            rs.read()
            up.close()
            self.hang_up()
        headers = [(k, v) for k, v in rs.getheaders() if k.lower() not in HOP]
        length = rs.getheader('Content-Length')
        known = length is not None or self.command == 'HEAD' or rs.status in (204, 304)
        number = self.fault.number if self.fault else None

        def change(name, value):
            kept = [(k, v) for k, v in headers if k.lower() != name.lower()]
            headers[:] = kept + ([] if value is None else [(name, value)])

        if action == 'truncate' and length:
            change('Content-Length', str(min(int(length), number('after'))))
        elif action == 'length' and length:
            change('Content-Length', str(int(length) + number('add')))
        elif action == 'bad-range':
            change('Content-Range', self.fault.words['text'])
        elif action == 'no-range':
            change('Accept-Ranges', None)
        elif action == 'header':
            change(self.fault.words['name'], self.fault.words.get('value'))
        elif action == 'shift-range' and rs.status == 206:
            asked = self.headers.get('Range', '').removeprefix('bytes=').partition('-')[0]
            said = rs.getheader('Content-Range')
            change('Content-Range', f'bytes {asked}-{said.partition("-")[2]}')
        if not known:
            headers.append(('Transfer-Encoding', 'chunked'))
        self.head(rs.status, headers)
        if self.command != 'HEAD' and known:
            self.copy(rs, action)
        elif self.command != 'HEAD':
            while data := rs.read(web.BLOCK):
                self.put(b'%x\r\n%s\r\n' % (len(data), data))
            self.put(b'0\r\n\r\n')
        up.close()
        if action == 'length':
            self.hang_up()

    def copy(self, rs, action):
        at = self.fault.number('after') if action in ('cut', 'stall', 'truncate') else None
        spoil = self.fault.number('at') if action == 'corrupt' else None
        step = web.BLOCK
        if action == 'slow':
            step = max(1, self.fault.number('rate') // 10)
        while data := rs.read(step):
            if spoil is not None and self.sent <= spoil < self.sent + len(data):
                data = bytearray(data)
                data[spoil - self.sent] ^= self.fault.number('bits', 1)
            if at is not None and self.sent + len(data) > at:
                first = at - self.sent
                self.put(bytes(data[:first]))
                if action == 'cut':
                    self.hang_up(reset=bool(self.fault.number('reset')))
                if action == 'truncate':
                    return
                time.sleep(float(self.fault.words['s']))
                data, at = data[first:], None
            self.put(bytes(data))
            if action == 'slow':
                time.sleep(0.1)
        if action == 'cut':  # shorter than that: at its end
            self.hang_up()


def main():
    p = web.parser(__doc__)
    p.add_argument('--upstream', required=True, help='HOST:PORT, plain HTTP')
    p.add_argument('--rules', required=True)
    args = p.parse_args()
    web.Server.rules = Rules(args.rules)
    web.serve(Handler, args)


sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A token service as the distribution project specifies it, for docker-registry and oci-registry.py:

    GET  /token?service=S&scope=repository:NAME:ACTIONS…   anonymous, or with Basic
    POST /token  grant_type=password|refresh_token&…       as OAuth2

Everybody may pull from public/…, users may do all. A wrong password is 401. Tokens are JWTs, signed
with RS256 by openssl (docker-registry wants these, with the certificate in x5c) or, with --hmac, with
HS256 (oci-registry.py, which minds their end to the second; docker-registry grants a minute more).
The log has every request with its headers and form, so tests see where passwords and tokens go.
"""
import base64
import hashlib
import hmac
import json
import re
import secrets
import subprocess
import sys
import time
import urllib.parse

import web


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b'=').decode()


class Tokens:
    def __init__(self, args):
        self.args = args
        self.users = dict(u.split(':', 1) for u in args.user)
        self.refresh = {f'refresh-{u}': u for u in self.users}  # known from the beginning
        self.hmac = args.hmac.encode() if args.hmac else None
        if not self.hmac:
            pem = open(args.sign_cert).read()
            self.x5c = re.search('-----BEGIN CERTIFICATE-----(.*?)-----END', pem, re.S).group(1)
            self.x5c = self.x5c.replace('\n', '')

    def sign(self, text):
        if self.hmac:
            return hmac.digest(self.hmac, text, hashlib.sha256)
        return subprocess.run(['openssl', 'dgst', '-sha256', '-sign', self.args.sign_key], input=text,
                              capture_output=True, check=True).stdout

    def make(self, user, service, scopes):
        access = []
        for scope in scopes:
            kind, _, rest = scope.partition(':')
            name, _, actions = rest.rpartition(':')
            wanted = [a for a in actions.split(',') if a]
            if not user:
                wanted = [a for a in wanted if a == 'pull' and name.startswith('public/')]
            if wanted:
                access.append({'type': kind, 'name': name, 'actions': wanted})
        now = int(time.time())
        header = {'typ': 'JWT', 'alg': 'HS256'} if self.hmac else \
            {'typ': 'JWT', 'alg': 'RS256', 'x5c': [self.x5c]}
        claims = {'iss': self.args.issuer, 'sub': user or '', 'aud': service, 'iat': now,
                  'nbf': now - 10, 'exp': now + self.args.lives, 'jti': secrets.token_hex(8),
                  'access': access}
        text = '.'.join(b64(json.dumps(part).encode()) for part in (header, claims))
        return text + '.' + b64(self.sign(text.encode()))


class Handler(web.Handler):
    def refuse(self, status, text):
        self.answer(status, json.dumps({'errors': [{'code': 'UNAUTHORIZED', 'message': text}]}))

    def serve(self):
        tokens = self.server.tokens
        self.shown_body = self.body().decode('utf-8', 'replace')
        url = urllib.parse.urlsplit(self.path)
        if url.path != '/token':
            return self.answer(404, '{}')
        if self.command == 'POST':
            if self.server.args.no_post:
                return self.answer(404, '{"errors":[{"code":"NOT_FOUND","message":"no POST here"}]}')
            form = urllib.parse.parse_qs(self.shown_body)
            get = lambda k: form.get(k, [''])[0]
            if get('grant_type') == 'refresh_token':
                user = tokens.refresh.get(get('refresh_token'))
            else:
                user = get('username') if tokens.users.get(get('username')) == get('password') else None
            if not user:
                return self.refuse(401, 'invalid refresh token or password')
            offline = get('access_type') == 'offline'
        else:
            form = urllib.parse.parse_qs(url.query)
            user = None
            if basic := self.headers.get('Authorization'):
                user, _, word = base64.b64decode(basic.removeprefix('Basic ')).decode().partition(':')
                if tokens.users.get(user) != word:
                    return self.refuse(401, 'incorrect username or password')
            offline = form.get('offline_token', [''])[0] == 'true'
        scopes = [s for value in form.get('scope', []) for s in value.split(' ') if s]
        token = tokens.make(user, form.get('service', [''])[0], scopes)
        answer = {'expires_in': self.server.args.expires_in or self.server.args.lives}
        answer['access_token' if self.command == 'POST' else 'token'] = token
        if user and (offline or self.command == 'POST'):
            answer['refresh_token'] = f'refresh-{user}'
        self.answer(200, json.dumps(answer))


def main():
    p = web.parser(__doc__)
    p.add_argument('--user', action='append', default=[], help='NAME:PASSWORD')
    p.add_argument('--issuer', default='thimble-tests')
    p.add_argument('--sign-key')
    p.add_argument('--sign-cert')
    p.add_argument('--hmac', help='sign with HS256 and this key')
    p.add_argument('--lives', type=int, default=300, help='seconds a token is good for')
    p.add_argument('--expires-in', type=int, help='what it says of that, if something else')
    p.add_argument('--no-post', action='store_true', help='no OAuth2')
    args = p.parse_args()
    tokens = Tokens(args)
    web.Server.tokens = tokens
    web.serve(Handler, args)


sys.exit(main())

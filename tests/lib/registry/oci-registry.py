#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A small registry in memory: OCI distribution-spec 1.1 with what docker-registry 2.8 has not:
referrers (OCI-Subject, OCI-Filters-Applied, pages), OCI-Chunk-Min-Length, mounts, deletion, tags and
catalogue in pages. Digests are checked, out-of-order chunks are 416.

Repositories hostile/KIND hold images that are not what they should be, or are served by a registry
that lies: hostile.py. --hostile KIND spoils what belongs to no repository.
"""
import base64
import hashlib
import hmac
import json
import re
import secrets
import sys
import threading
import time
import urllib.parse

import hostile
import web

NAME = r'[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*'
MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
INDEX = 'application/vnd.oci.image.index.v1+json'


def digest_of(data):
    return 'sha256:' + hashlib.sha256(data).hexdigest()


class Repo:
    def __init__(self):
        self.blobs, self.manifests, self.tags = {}, {}, {}


class Store:
    def __init__(self):
        self.repos, self.uploads, self.lock = {}, {}, threading.RLock()
        self.short = set()  # uploads with a piece below the minimum

    def repo(self, name):
        with self.lock:
            return self.repos.setdefault(name, Repo())


class Handler(web.Handler):
    def error(self, status, code, text, **headers):
        self.answer(status, json.dumps({'errors': [{'code': code, 'message': text}]}), **headers)

    def serve(self):
        url = urllib.parse.urlsplit(self.path)
        self.query = {k: v[-1] for k, v in urllib.parse.parse_qs(url.query, True).items()}
        self.store, self.args = self.server.store, self.server.args
        path = urllib.parse.unquote(url.path)
        if path.startswith('/redirected/'):
            return self.redirected(path)
        if hostile.anywhere(self, path):
            return
        if not path.startswith('/v2'):
            return self.error(404, 'NOT_FOUND', 'no such page')
        if not self.allowed(path):
            return
        if path in ('/v2', '/v2/'):
            return self.answer(200, '{}', Docker_Distribution_Api_Version='registry/2.0')
        if path == '/v2/_catalog':
            with self.store.lock:
                names = sorted(n for n, r in self.store.repos.items() if r.manifests)
            return self.pages('repositories', names, {})
        for regex, function in ROUTES:
            if m := regex.fullmatch(path):
                self.name = m.group(1)
                if self.name.startswith('hostile/'):
                    hostile.fill(self.store, self.name, self.args)
                if self.name not in self.store.repos and self.command not in ('POST', 'PUT'):
                    self.body()
                    return self.error(404, 'NAME_UNKNOWN', 'repository name not known to registry')
                self.repo = self.store.repo(self.name)
                if hostile.before(self, function.__name__, m.groups()[1:]):
                    return
                return function(self, *m.groups()[1:])
        self.body()
        self.error(404, 'NAME_INVALID', 'no such route')

    # --- who is asking --------------------------------------------------------------------------
    def allowed(self, path):
        args = self.args
        if args.hmac is None and not args.user:
            return True
        given = self.headers.get('Authorization', '')
        if args.user:
            if given.startswith('Basic ') and base64.b64decode(given[6:]).decode() in args.user:
                return True
            self.body()
            self.error(401, 'UNAUTHORIZED', 'authentication required',
                       WWW_Authenticate='Basic realm="tests"')
            return False
        need = ''
        if m := re.match(f'/v2/({NAME})/(manifests|blobs|tags|referrers)/', path):
            action = {'GET': 'pull', 'HEAD': 'pull', 'DELETE': 'delete'}.get(self.command, 'push')
            need = (m.group(1), action)
        why = self.token_is_bad(given.removeprefix('Bearer '), need)
        if not why:
            return True
        self.body()
        scope = f',scope="repository:{need[0]}:{"pull,push" if need[1] == "push" else need[1]}"' \
            if need else ''
        self.error(401, 'UNAUTHORIZED', why, WWW_Authenticate=f'Bearer realm="{args.realm}",'
                   f'service="{args.service}"{scope},error="invalid_token"')
        return False

    def token_is_bad(self, token, need):
        try:
            text, _, sign = token.rpartition('.')
            pad = lambda s: base64.urlsafe_b64decode(s + '=' * (-len(s) % 4))
            if not hmac.compare_digest(hmac.digest(self.args.hmac.encode(), text.encode(), 'sha256'), pad(sign)):
                return 'the signature is wrong'
            claims = json.loads(pad(text.split('.')[1]))
        except (ValueError, IndexError):
            return 'authentication required'
        if claims['exp'] < time.time():
            return 'the token has expired'
        if need and not any(a['name'] == need[0] and need[1] in a['actions'] for a in claims['access']):
            return f'the token does not allow to {need[1]} {need[0]}'
        return ''

    # --- lists ----------------------------------------------------------------------------------
    def pages(self, key, names, more):
        n = min(int(self.query.get('n', self.args.page)), self.args.page)
        last = self.query.get('last', '')
        rest = [x for x in names if x > last]
        headers = {}
        if len(rest) > n:
            path = self.path.partition('?')[0]
            headers['Link'] = f'<{path}?n={n}&last={urllib.parse.quote(rest[n - 1])}>; rel="next"'
        self.answer(200, json.dumps({**more, key: rest[:n]}), **headers)

    def tags(self):
        if not self.repo.manifests:
            return self.error(404, 'NAME_UNKNOWN', 'repository name not known to registry')
        self.pages('tags', sorted(self.repo.tags), {'name': self.name})

    def referrers(self, digest):
        if not self.args.referrers:
            return self.error(404, 'NOT_FOUND', 'no such page')
        rows, kind = [], self.query.get('artifactType')
        for d, (media, data) in sorted(self.repo.manifests.items()):
            m = json.loads(data)
            if (m.get('subject') or {}).get('digest') != digest:
                continue
            what = m.get('artifactType') or (m.get('config') or {}).get('mediaType')
            row = {'mediaType': media, 'digest': d, 'size': len(data), 'artifactType': what}
            if 'annotations' in m:
                row['annotations'] = m['annotations']
            if not kind or kind == what:
                rows.append(row)
        at = int(self.query.get('at', 0))
        headers = {'OCI-Filters-Applied': 'artifactType'} if kind else {}
        if len(rows) > at + self.args.page:
            path = self.path.partition('?')[0]
            more = f'&artifactType={urllib.parse.quote(kind)}' if kind else ''
            headers['Link'] = f'<{path}?at={at + self.args.page}{more}>; rel="next"'
        self.answer(200, json.dumps({'schemaVersion': 2, 'mediaType': INDEX,
                                     'manifests': rows[at:at + self.args.page]}), INDEX, **headers)

    # --- manifests ------------------------------------------------------------------------------
    def manifests(self, what):
        repo = self.repo
        if self.command == 'PUT':
            data = self.body()
            try:
                value = json.loads(data)
            except ValueError:
                return self.error(400, 'MANIFEST_INVALID', 'manifest invalid')
            d = digest_of(data)
            if what.startswith('sha256:') and what != d:
                return self.error(400, 'DIGEST_INVALID', f'it is {d}')
            parts = value.get('layers', []) + ([value['config']] if 'config' in value else [])
            for part in parts:
                if part['digest'] not in repo.blobs and not part.get('urls'):
                    return self.error(400, 'MANIFEST_BLOB_UNKNOWN', f'blob unknown: {part["digest"]}')
            for part in value.get('manifests', []):
                if part['digest'] not in repo.manifests and 'subject' not in value \
                        and not what.startswith('sha256-'):
                    return self.error(400, 'MANIFEST_UNKNOWN', f'manifest unknown: {part["digest"]}')
            repo.manifests[d] = (self.headers.get('Content-Type', MANIFEST), data)
            if not what.startswith('sha256:'):
                repo.tags[what] = d
            more = {}
            if self.args.referrers and value.get('subject'):
                more['OCI-Subject'] = value['subject']['digest']
            return self.answer(201, Location=f'/v2/{self.name}/manifests/{d}',
                               Docker_Content_Digest=d, **more)
        d = what if what.startswith('sha256:') else repo.tags.get(what)
        if d not in repo.manifests:
            self.body()
            return self.error(404, 'MANIFEST_UNKNOWN', 'manifest unknown')
        if self.command == 'DELETE':
            if what.startswith('sha256:'):
                del repo.manifests[d]
                repo.tags = {k: v for k, v in repo.tags.items() if v != d}
            else:
                del repo.tags[what]
            return self.answer(202)
        media, data = repo.manifests[d]
        self.answer(200, data, media, Docker_Content_Digest=d)

    # --- blobs ----------------------------------------------------------------------------------
    def blobs(self, d):
        data = self.repo.blobs.get(d)
        if data is None:
            return self.error(404, 'BLOB_UNKNOWN', 'blob unknown to registry')
        if self.command == 'DELETE':
            del self.repo.blobs[d]
            return self.answer(202)
        if self.args.redirected is not None and self.command == 'GET':
            return self.answer(307, Location=f'{self.args.redirected or self.server.origin}'
                               f'/redirected/{self.name}/{d}')
        self.range(data, d)

    def range(self, data, d):
        first, status, headers = 0, 200, {'Docker-Content-Digest': d, 'Accept-Ranges': 'bytes'}
        if m := re.fullmatch(r'bytes=(\d+)-(\d*)', self.headers.get('Range', '')):
            first = int(m.group(1))
            if first >= len(data):
                return self.error(416, 'RANGE_INVALID', 'out of range')
            end = min(len(data), int(m.group(2)) + 1) if m.group(2) else len(data)
            headers['Content-Range'] = f'bytes {first}-{end - 1}/{len(data)}'
            data, status = data[first:end], 206
        self.answer(status, data, 'application/octet-stream', **headers)

    def redirected(self, path):
        name, _, d = path.removeprefix('/redirected/').rpartition('/')
        data = self.store.repo(name).blobs.get(d)
        if data is None:
            return self.answer(404)
        self.range(data, d)

    def begin(self):
        repo, q = self.repo, self.query
        if 'mount' in q and self.args.mounts:
            data = self.store.repos.get(q.get('from', ''), Repo()).blobs.get(q['mount'])
            if data is not None:
                self.body()
                repo.blobs[q['mount']] = data
                return self.answer(201, Location=f'/v2/{self.name}/blobs/{q["mount"]}',
                                   Docker_Content_Digest=q['mount'])
        data = self.body()
        if 'digest' in q:
            return self.keep(data, q['digest'])
        key = secrets.token_hex(8)
        self.store.uploads[key] = bytearray()
        self.upload_is(202, key)

    def upload_is(self, status, key):
        n = len(self.store.uploads[key])
        more = {'OCI-Chunk-Min-Length': str(self.args.chunk)} if self.args.chunk else {}
        self.answer(status, Location=f'/v2/{self.name}/blobs/uploads/{key}?state={n}',
                    Range=f'0-{max(0, n - 1)}', Docker_Upload_UUID=key, **more)

    def upload(self, key):
        data = self.store.uploads.get(key)
        if data is None:
            self.body()
            return self.error(404, 'BLOB_UPLOAD_UNKNOWN', 'blob upload unknown to registry')
        if self.command == 'GET':
            return self.upload_is(204, key)
        if self.command == 'DELETE':
            del self.store.uploads[key]
            return self.answer(204)
        if m := re.fullmatch(r'(\d+)-(\d+)', self.headers.get('Content-Range', '')):
            if int(m.group(1)) != len(data):
                self.body()
                return self.error(416, 'RANGE_INVALID', 'the chunks are out of order')
        if self.command == 'PATCH' and key in self.store.short:
            self.body()
            return self.error(416, 'RANGE_INVALID', 'only the last piece may be that short')
        before = len(data)
        for piece in self.chunks():
            data += piece
        if self.command == 'PATCH':
            if 'Content-Range' in self.headers and len(data) - before < (self.args.chunk or 0):
                self.store.short.add(key)
            return self.upload_is(202, key)
        del self.store.uploads[key]
        self.keep(bytes(data), self.query.get('digest', ''))

    def keep(self, data, d):
        if digest_of(data) != d:
            return self.error(400, 'DIGEST_INVALID', 'provided digest did not match uploaded content')
        self.repo.blobs[d] = data
        self.answer(201, Location=f'/v2/{self.name}/blobs/{d}', Docker_Content_Digest=d)


ROUTES = [(re.compile(f'/v2/({NAME})/{tail}'), function) for tail, function in (
    ('tags/list', Handler.tags),
    ('referrers/(sha256:[0-9a-f]{64})', Handler.referrers),
    ('manifests/([A-Za-z0-9_][A-Za-z0-9._-]*|sha256:[0-9a-f]{64})', Handler.manifests),
    ('blobs/uploads/', Handler.begin),
    ('blobs/uploads/([0-9a-f]+)', Handler.upload),
    ('blobs/(sha256:[0-9a-f]{64})', Handler.blobs))]


def main():
    p = web.parser(__doc__)
    p.add_argument('--user', action='append', default=[], help='NAME:PASSWORD: Basic is wanted')
    p.add_argument('--hmac', help='tokens of token-server.py --hmac are wanted')
    p.add_argument('--realm', default='')
    p.add_argument('--service', default='thimble-tests')
    p.add_argument('--page', type=int, default=100, help='names in a page, at most')
    p.add_argument('--chunk', type=int, help='OCI-Chunk-Min-Length')
    p.add_argument('--no-referrers', dest='referrers', action='store_false')
    p.add_argument('--no-mounts', dest='mounts', action='store_false')
    p.add_argument('--redirected', metavar='ORIGIN', help="blobs are fetched from ORIGIN/redirected/… ('': here)")
    p.add_argument('--hostile', metavar='KIND', default='')
    p.add_argument('--other', default='http://127.0.0.1:9', help='the other host of hostile kinds')
    p.add_argument('--outside', default='/tmp', help='where hostile layers want to write')
    args = p.parse_args()
    web.Server.store = Store()
    web.serve(Handler, args)


if __name__ == '__main__':
    sys.exit(main())

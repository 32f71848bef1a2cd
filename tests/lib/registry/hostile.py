# SPDX-License-Identifier: Apache-2.0
"""What oci-registry.py serves below hostile/: images that are not what they should be (made here, with
honest digests), and lies told while they are served. Each kind is a repository with the tag `latest`;
the tests list them by `kinds`."""
import gzip
import hashlib
import io
import json
import os
import tarfile
import time

MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
INDEX = 'application/vnd.oci.image.index.v1+json'
CONFIG = 'application/vnd.oci.image.config.v1+json'
LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip'
ARCH = {'x86_64': 'amd64', 'aarch64': 'arm64'}.get(os.uname().machine, os.uname().machine)
ESCAPES = '\x1b[2J\x1b]0;owned\x07'


def digest_of(data):
    return 'sha256:' + hashlib.sha256(data).hexdigest()


def text(value):
    return json.dumps(value).encode()


def described(media, data, **more):
    return {'mediaType': media, 'digest': digest_of(data), 'size': len(data), **more}


def tar(*members):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode='w') as t:
        for name, data in members:
            info = tarfile.TarInfo(name)
            if isinstance(data, str):
                info.type, info.linkname = tarfile.SYMTYPE, data
                t.addfile(info)
            else:
                info.size = len(data)
                t.addfile(info, io.BytesIO(data))
    return out.getvalue()


class Image:
    """A good one; the kinds change it before it is put."""

    def __init__(self, repo, *members):
        self.repo = repo
        self.tar = tar(*(members or (('file', b'content\n'), ('noise', os.urandom(50000)))))
        self.layer = gzip.compress(self.tar, 1)
        self.config = {'architecture': ARCH, 'os': 'linux', 'config': {'Cmd': ['/file']},
                       'rootfs': {'type': 'layers', 'diff_ids': [digest_of(self.tar)]}}
        self.manifest = None
        self.media = MANIFEST

    def make(self):
        config = self.config if isinstance(self.config, bytes) else text(self.config)
        self.repo.blobs[digest_of(config)] = config
        self.repo.blobs[digest_of(self.layer)] = self.layer
        self.manifest = {'schemaVersion': 2, 'mediaType': self.media, 'config': described(CONFIG, config),
                         'layers': [described(LAYER, self.layer)]}
        return self

    def put(self, tag='latest', media=None):
        data = self.manifest if isinstance(self.manifest, bytes) else text(self.manifest)
        self.repo.manifests[digest_of(data)] = (media or self.media, data)
        self.repo.tags[tag] = digest_of(data)
        return described(media or self.media, data)


# ---- images that are wrong in themselves: FUNCTION(image, args), the image was made --------------
KINDS = {}


def kind(function):
    KINDS[function.__name__.replace('_', '-')] = function
    return function


def put(repo, value, media=MANIFEST, tag='latest'):
    data = value if isinstance(value, bytes) else text(value)
    repo.manifests[digest_of(data)] = (media, data)
    repo.tags[tag] = digest_of(data)
    return described(media, data)


def changed(name, change):
    """A kind whose manifest is changed by a function."""
    def build(image, args):
        change(image.manifest)
        image.put()
    KINDS[name] = build


def config_is(name, change):
    def build(image, args):
        value = change(image.config)
        image.config = image.config if value is None else value
        image.make().put()
    KINDS[name] = build


changed('layer-media-type', lambda m: m['layers'][0].update(mediaType='application/x-cpio'))
changed('layer-media-control', lambda m: m['layers'][0].update(mediaType='x/' + ESCAPES))
changed('layer-foreign', lambda m: m['layers'][0].update(
    mediaType='application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
    urls=['file:///etc/passwd', 'http://127.0.0.1:9/x']))
changed('config-media-type', lambda m: m['config'].update(mediaType='application/vnd.other+json'))
changed('size-small', lambda m: m['layers'][0].update(size=m['layers'][0]['size'] - 1))
changed('size-large', lambda m: m['layers'][0].update(size=m['layers'][0]['size'] + 1))
changed('size-negative', lambda m: m['layers'][0].update(size=-1))
changed('size-beyond', lambda m: m['layers'][0].update(size=2 ** 63))
changed('size-real', lambda m: m['layers'][0].update(size=1e300))
changed('size-text', lambda m: m['layers'][0].update(size='12'))
changed('size-huge', lambda m: m['layers'][0].update(size=2 ** 62))
changed('config-size-small', lambda m: m['config'].update(size=m['config']['size'] - 1))
changed('config-size-huge', lambda m: m['config'].update(size=2 ** 50))
changed('digest-path', lambda m: m['layers'][0].update(digest='sha256:../../../../etc/passwd'))
changed('digest-short', lambda m: m['layers'][0].update(digest='sha256:abcd'))
changed('digest-upper', lambda m: m['layers'][0].update(digest=m['layers'][0]['digest'].upper()))
changed('digest-other-algorithm', lambda m: m['layers'][0].update(digest='md5:' + '0' * 32))
changed('layers-missing', lambda m: m.pop('layers'))
changed('layers-object', lambda m: m.update(layers={'a': 1}))
changed('layers-null', lambda m: m.update(layers=[None]))
changed('layers-many', lambda m: m.update(layers=m['layers'] * 10000))
changed('layers-more-than-diff-ids', lambda m: m.update(layers=m['layers'] * 2))
changed('layers-fewer-than-diff-ids', lambda m: m.update(layers=[]))
changed('media-type-of-an-index', lambda m: m.update(mediaType=INDEX))
changed('schema-one', lambda m: m.update(schemaVersion=1))
changed('with-subject', lambda m: m.update(subject=described(MANIFEST, b'{}')))
config_is('config-null', lambda c: b'null')
config_is('config-list', lambda c: b'[]')
config_is('config-text', lambda c: b'not json')
config_is('config-deep', lambda c: b'[' * 1000000)
config_is('config-os', lambda c: c.update(os='windows'))
config_is('config-os-control', lambda c: c.update(os=ESCAPES))
config_is('config-diff-id-wrong', lambda c: c['rootfs'].update(diff_ids=['sha256:' + '1' * 64]))
config_is('config-diff-id-path', lambda c: c['rootfs'].update(diff_ids=['sha256:../../../x']))
config_is('config-rootfs-missing', lambda c: {k: v for k, v in c.items() if k != 'rootfs'})


@kind
def manifest_text(image, args):
    put(image.repo, b'<html>no</html>')


@kind
def manifest_deep(image, args):
    put(image.repo, b'{"schemaVersion":2,"layers":' + b'[' * 1000000)


@kind
def manifest_nul(image, args):
    put(image.repo, text({**image.manifest, 'annotations': {'a\x00b': '\x00'}}).replace(b'layers', b'lay\\u0000ers'))


@kind
def manifest_twice(image, args):
    put(image.repo, text(image.manifest)[:-1] + b',"layers":[]}')


@kind
def manifest_both(image, args):
    put(image.repo, {**image.manifest, 'manifests': []})


@kind
def manifest_large(image, args):  # just above the 4 MiB that a registry must take
    put(image.repo, {**image.manifest, 'annotations': {'a': 'x' * (5 << 20)}})


@kind
def layer_is_no_gzip(image, args):
    image.layer = b'\x1f\x8bnothing of the kind' * 1000
    image.make().put()


@kind
def layer_cut(image, args):  # a whole blob of a gzip stream that has no end
    image.layer = image.layer[:-9]
    image.make().put()


@kind
def layer_leads_out(image, args):
    bad = tar(('out', args.outside or '/tmp'), ('out/thimble-was-here', b'bad\n'),
              ('../../../thimble-was-here', b'bad\n'))
    image.tar, image.layer = bad, gzip.compress(bad)
    image.config['rootfs']['diff_ids'] = [digest_of(bad)]
    image.make().put()


@kind
def layer_bomb(image, args):
    """A tar that is at its end at once, and then 4 GiB of zeros in 4 MiB of gzip."""
    one = gzip.compress(b'\0' * (64 << 20), 9)
    image.layer = one * 64
    image.make().put()


@kind
def layer_window(image, args):
    """A zstd frame that wants a window of 2 GiB."""
    block = (1 << 15 | 1 << 1 | 1).to_bytes(3, 'little') + b'\0'  # RLE, 32 KiB, the last one
    image.layer = b'\x28\xb5\x2f\xfd\x00' + bytes([21 << 3]) + block
    image.make()
    image.manifest['layers'][0]['mediaType'] = 'application/vnd.oci.image.layer.v1.tar+zstd'
    image.put()


@kind
def index_deep(image, args):
    d = image.put()
    for _ in range(200):
        d = put(image.repo, {'schemaVersion': 2, 'mediaType': INDEX, 'manifests': [
            {**d, 'platform': {'os': 'linux', 'architecture': ARCH}}]}, INDEX)


@kind
def index_wide(image, args):
    d = image.put()
    row = {**d, 'platform': {'os': 'plan9', 'architecture': 'mips'}}
    put(image.repo, {'schemaVersion': 2, 'mediaType': INDEX, 'manifests': [row] * 15000}, INDEX)


@kind
def index_heavy(image, args):
    image.manifest['annotations'] = {f'a{i}': 'x' * 20 for i in range(100000)}
    put(image.repo, {'schemaVersion': 2, 'mediaType': INDEX, 'manifests': [image.put()] * 900}, INDEX)


@kind
def index_empty(image, args):
    put(image.repo, {'schemaVersion': 2, 'mediaType': INDEX, 'manifests': []}, INDEX)


@kind
def index_platforms(image, args):
    d = image.put()
    odd = [None, 7, [], {}, {'os': 3}, {'os': ESCAPES, 'architecture': ESCAPES},
           {'os': 'linux', 'architecture': None}, {'os': 'x' * 70000, 'architecture': 'y'}]
    put(image.repo, {'schemaVersion': 2, 'mediaType': INDEX,
                     'manifests': [{**d, 'platform': p} for p in odd]}, INDEX)


@kind
def index_size_wrong(image, args):
    d = image.put()
    put(image.repo, {'schemaVersion': 2, 'mediaType': INDEX, 'manifests': [
        {**d, 'size': d['size'] - 1, 'platform': {'os': 'linux', 'architecture': ARCH}}]}, INDEX)


@kind
def index_of_blobs(image, args):
    put(image.repo, {'schemaVersion': 2, 'mediaType': INDEX, 'manifests': [
        {**image.manifest['layers'][0], 'platform': {'os': 'linux', 'architecture': ARCH}}]}, INDEX)


# ---- lies: FUNCTION(handler, what, words) is called before the answer; True: it has answered ------
LIES = {}


def lie(function):
    LIES[function.__name__.replace('_', '-')] = function
    return function


def endless(h, status=200, kind='application/octet-stream', block=b' ' * (64 << 10), **headers):
    """A body without an end: 100 GB, so that a test ends in any case."""
    h.head(status, {'Content-Type': kind, 'Transfer-Encoding': 'chunked', **headers})
    piece = b'%x\r\n%s\r\n' % (len(block), block)
    for _ in range(100 << 30 >> 16):
        h.put(piece)
    h.hang_up()


def of_the_manifest(h, what, words):
    return what == 'manifests' and h.command in ('GET', 'HEAD')


def of_the_layer(h, what, words):
    if what != 'blobs' or h.command != 'GET':
        return False
    return len(h.repo.blobs.get(words[0], b'')) > 10000


def of_the_config(h, what, words):
    return what == 'blobs' and h.command == 'GET' and not of_the_layer(h, what, words)


@lie
def manifest_endless(h, what, words):
    if of_the_manifest(h, what, words):
        endless(h, kind=MANIFEST)


@lie
def manifest_length_huge(h, what, words):
    if of_the_manifest(h, what, words):
        h.head(200, {'Content-Type': MANIFEST, 'Content-Length': str(1 << 62)})
        for _ in range(100 << 30 >> 16):
            h.put(b' ' * (64 << 10))


@lie
def manifest_digest_header(h, what, words):
    if of_the_manifest(h, what, words):
        data = h.repo.manifests[h.repo.tags['latest']][1]
        h.answer(200, data, MANIFEST, Docker_Content_Digest='sha256:' + '2' * 64)
        return True


@lie
def manifest_digest_control(h, what, words):
    if of_the_manifest(h, what, words):
        data = h.repo.manifests[h.repo.tags['latest']][1]
        h.answer(200, data, MANIFEST, Docker_Content_Digest='sha256:' + ESCAPES)
        return True


@lie
def manifest_other_bytes(h, what, words):
    """By digest, another manifest (the index names a digest honestly)."""
    if of_the_manifest(h, what, words) and words[0].startswith('sha256:'):
        h.answer(200, text({'schemaVersion': 2, 'mediaType': MANIFEST, 'config': {}, 'layers': []}), MANIFEST,
                 Docker_Content_Digest=words[0])
        return True


@lie
def index_of_itself(h, what, words):
    """Whatever is asked for is an index of something of the same digest."""
    if of_the_manifest(h, what, words):
        d = words[0] if words[0].startswith('sha256:') else 'sha256:' + '3' * 64
        data = text({'schemaVersion': 2, 'mediaType': INDEX, 'manifests': [
            {'mediaType': INDEX, 'digest': d, 'size': 300, 'platform': {'os': 'linux', 'architecture': ARCH}}]})
        h.answer(200, data, INDEX, Docker_Content_Digest=d)
        return True


@lie
def content_type_html(h, what, words):
    if of_the_manifest(h, what, words):
        h.answer(200, h.repo.manifests[h.repo.tags['latest']][1], 'text/html')
        return True


@lie
def content_type_index(h, what, words):
    if of_the_manifest(h, what, words):
        h.answer(200, h.repo.manifests[h.repo.tags['latest']][1], INDEX)
        return True


@lie
def layer_endless(h, what, words):
    if of_the_layer(h, what, words):
        endless(h)


@lie
def layer_longer(h, what, words):
    """The layer, and more behind it."""
    if of_the_layer(h, what, words):
        data = h.repo.blobs[words[0]]
        h.answer(200, data + b'x' * 1000, 'application/octet-stream')
        return True


@lie
def layer_other_bytes(h, what, words):
    if of_the_layer(h, what, words):
        data = bytearray(h.repo.blobs[words[0]])
        data[len(data) // 2] ^= 1
        h.answer(200, bytes(data), 'application/octet-stream', Docker_Content_Digest=words[0])
        return True


@lie
def layer_other_tar(h, what, words):
    """A good layer, but another one of the same length."""
    if of_the_layer(h, what, words):
        size = len(h.repo.blobs[words[0]])
        data = gzip.compress(tar(('evil', b'evil\n')), 1)
        h.answer(200, data + b'\0' * (size - len(data)), 'application/octet-stream')
        return True


@lie
def config_endless(h, what, words):
    if of_the_config(h, what, words):
        endless(h, kind='application/json')


@lie
def config_other_bytes(h, what, words):
    if of_the_config(h, what, words):
        data = h.repo.blobs[words[0]].replace(b'linux', b'lunix')
        h.answer(200, data)
        return True


def redirect_kind(name, to, code=307):
    def function(h, what, words):
        if what == 'blobs' and h.command in ('GET', 'HEAD'):
            target = to.replace('OTHER', h.args.other).replace('HERE', h.server.origin)
            h.head(code, {'Location': target.replace('PATH', h.path), 'Content-Length': '0'})
            return True
    LIES[name] = function


redirect_kind('redirect-file', 'file:///etc/passwd')
redirect_kind('redirect-gopher', 'gopher://127.0.0.1:9/x')
redirect_kind('redirect-loop', 'HEREPATH')
redirect_kind('redirect-other', 'OTHER/redirected/stolen')
redirect_kind('redirect-user', 'http://user:pass@127.0.0.1:9/x')
redirect_kind('redirect-nothing', '')
redirect_kind('redirect-control', 'http://127.0.0.1:9/' + '\x1b[2J')
redirect_kind('redirect-long', 'http://127.0.0.1:9/' + 'a' * 20000)


@lie
def headers_many(h, what, words):
    if of_the_manifest(h, what, words):
        h.head(200, [(f'X-{i}', 'y' * 100) for i in range(20000)])
        return True


@lie
def header_long(h, what, words):
    if of_the_manifest(h, what, words):
        h.head(200, {'X-Long': 'y' * (8 << 20)})
        return True


@lie
def error_words(h, what, words):
    """Its own words for an error hold what a terminal obeys."""
    if of_the_manifest(h, what, words):
        h.error(403, 'DENIED' + ESCAPES, ESCAPES + 'rm -rf\r\n\u202e' + 'x' * 5000)
        return True


@lie
def error_endless(h, what, words):
    if of_the_manifest(h, what, words):
        endless(h, 403)


@lie
def error_deep(h, what, words):
    if of_the_manifest(h, what, words):
        h.answer(400, b'{"errors":' + b'[' * 60000)
        return True


@lie
def challenge_endless(h, what, words):
    """A challenge for a token whose realm is no place to send anything."""
    if of_the_manifest(h, what, words):
        h.error(401, 'UNAUTHORIZED', 'no', WWW_Authenticate='Bearer realm="file:///etc/passwd",service="x"')
        return True


@lie
def challenge_many(h, what, words):
    if of_the_manifest(h, what, words):
        h.error(401, 'UNAUTHORIZED', 'no', WWW_Authenticate=', '.join(
            f'Scheme{i} a="{"b" * 50}"' for i in range(600)))
        return True


# Slow: one byte and then nothing (the long suite waits for it).
@lie
def layer_stalls(h, what, words):
    if of_the_layer(h, what, words):
        data = h.repo.blobs[words[0]]
        h.head(200, {'Content-Length': str(len(data))})
        for i in range(len(data)):
            h.put(data[i:i + 1])
            time.sleep(90)
        return True


# Uploads: the client pushes into hostile/KIND.
def upload_kind(name, status=202, **headers):
    def function(h, what, words):
        if what == 'begin':
            h.body()
            h.head(status, {'Content-Length': '0', **{k.replace('_', '-'): v.replace('OTHER', h.args.other)
                                                      for k, v in headers.items()}})
            return True
    LIES[name] = function


upload_kind('upload-no-location')
upload_kind('upload-file', Location='file:///etc/passwd')
upload_kind('upload-other', Location='OTHER/redirected/upload')
upload_kind('upload-traversal', Location='/v2/../../etc/passwd?x')
upload_kind('upload-control', Location='/v2/\x1b[2J')
upload_kind('upload-long', Location='/' + 'a' * 20000)
upload_kind('upload-chunk-huge', Location='/v2/x/blobs/uploads/1', OCI_Chunk_Min_Length=str(1 << 62))
upload_kind('upload-chunk-negative', Location='/v2/x/blobs/uploads/1', OCI_Chunk_Min_Length='-5')


@lie
def upload_range_lies(h, what, words):
    """Whatever is sent, it has more; and each piece is refused."""
    if what == 'upload':
        h.body()
        h.head(416 if h.command != 'GET' else 204, {
            'Location': h.path, 'Range': '0-99999999999', 'Content-Length': '0'})
        return True


@lie
def upload_forgets(h, what, words):
    if what == 'upload':
        h.body()
        h.error(404, 'BLOB_UPLOAD_UNKNOWN', 'blob upload unknown')
        return True


@lie
def upload_swallows(h, what, words):
    """Says that all went well and keeps nothing: the manifest is refused then."""
    if what == 'upload':
        h.body()
        h.answer(201, Location=h.path, Docker_Content_Digest='sha256:' + '4' * 64)
        return True


@lie
def head_lies(h, what, words):
    """Says of every blob that it is there."""
    if what == 'blobs' and h.command == 'HEAD':
        h.head(200, {'Content-Length': '10'})
        return True


@lie
def push_manifest_digest(h, what, words):
    if what == 'manifests' and h.command == 'PUT':
        h.body()
        h.answer(201, Docker_Content_Digest='sha256:' + '5' * 64)
        return True


# Lists of names.
def list_kind(name, *pages, link=None):
    def function(h, what, words):
        if what == 'tags':
            headers = {'Link': link.replace('OTHER', h.args.other).replace('PATH', h.path)} if link else {}
            h.answer(200, pages[0] if isinstance(pages[0], bytes) else text(pages[0]), **headers)
            return True
    LIES[name] = function


list_kind('tags-traversal', {'name': 'x', 'tags': ['../../../etc/passwd', '/etc/passwd', '..', 'good']})
list_kind('tags-control', {'name': 'x', 'tags': [ESCAPES, 'a\nb', 'good']})
list_kind('tags-types', {'name': 7, 'tags': [1, None, {}, []]})
list_kind('tags-null', {'name': 'x', 'tags': None})
list_kind('tags-deep', b'[' * 1000000)
list_kind('tags-loop', {'name': 'x', 'tags': ['good']}, link='<PATH>; rel="next"')
list_kind('tags-other', {'name': 'x', 'tags': ['good']}, link='<OTHER/redirected/tags>; rel="next"')
list_kind('tags-file', {'name': 'x', 'tags': ['good']}, link='<file:///etc/passwd>; rel="next"')
list_kind('tags-many', {'name': 'x', 'tags': [f't{i}' for i in range(100001)]})


@lie
def tags_endless(h, what, words):
    if what == 'tags':
        endless(h, kind='application/json')


@lie
def tags_forever(h, what, words):
    """Always one page more."""
    if what == 'tags':
        n = int(h.query.get('last', '0')) + 1
        names = [f't{n}-{i}' for i in range(1000)]
        h.answer(200, text({'name': 'x', 'tags': names}), Link=f'</v2/{h.name}/tags/list?last={n}>; rel="next"')
        return True


@lie
def tags_far(h, what, words):
    """As many as are taken, all of them long and none like what is looked for."""
    if what == 'tags':
        n = int(h.query.get('last', '0')) + 1
        names = [f't{n}-{i}'.ljust(128, 'z') for i in range(1000)]
        headers = {'Link': f'</v2/{h.name}/tags/list?last={n}>; rel="next"'} if n < 99 else {}
        h.answer(200, text({'name': 'x', 'tags': names}), **headers)
        return True


# What refers to an image.
def referrers_kind(name, value, link=None):
    def function(h, what, words):
        if what == 'referrers':
            headers = {'Link': link.replace('OTHER', h.args.other).replace('PATH', h.path)} if link else {}
            h.answer(200, value if isinstance(value, bytes) else text(value), INDEX, **headers)
            return True
    LIES[name] = function


def referrer(**more):
    return {'mediaType': MANIFEST, 'digest': 'sha256:' + '6' * 64, 'size': 100, 'artifactType': 'x/y', **more}


def referrers_list(*rows):
    return {'schemaVersion': 2, 'mediaType': INDEX, 'manifests': list(rows)}


referrers_kind('referrers-control', referrers_list(referrer(
    artifactType='x/' + ESCAPES, annotations={ESCAPES: ESCAPES + '\n'})))
referrers_kind('referrers-types', referrers_list(7, None, 'x'))
referrers_kind('referrers-digest', referrers_list(referrer(digest='sha256:../../x')))
referrers_kind('referrers-deep', b'{"manifests":' + b'[' * 1000000)
referrers_kind('referrers-no-index', {'tags': []})
referrers_kind('referrers-loop', referrers_list(referrer()), link='<PATH>; rel="next"')
referrers_kind('referrers-other', referrers_list(referrer()), link='<OTHER/redirected/more>; rel="next"')


@lie
def referrers_endless(h, what, words):
    if what == 'referrers':
        endless(h, kind=INDEX)


@lie
def referrers_forever(h, what, words):
    if what == 'referrers':
        n = int(h.query.get('last', '0')) + 1
        rows = [referrer(annotations={'n': f'{n}-{i}', 'fill': 'x' * 100}) for i in range(1000)]
        h.answer(200, text(referrers_list(*rows)), INDEX,
                 Link=f'<{h.path.partition("?")[0]}?last={n}>; rel="next"')
        return True


@lie
def subject_other(h, what, words):
    """Says that it keeps referrers, of something else."""
    if what == 'manifests' and h.command == 'PUT':
        data = h.body()
        h.answer(201, Docker_Content_Digest=digest_of(data), OCI_Subject='sha256:' + '7' * 64)
        return True


# ---- --hostile KIND ------------------------------------------------------------------------------
def anywhere(h, path):
    k = h.args.hostile
    if k == 'catalog-control' and path == '/v2/_catalog':
        h.answer(200, text({'repositories': [ESCAPES, '../../etc', 'good/repo', 7, None, 'a\nb']}))
        return True
    if k == 'catalog-forever' and path == '/v2/_catalog':
        n = int(h.query.get('last', '0')) + 1
        h.answer(200, text({'repositories': [f'r{n}-{i}' for i in range(1000)]}),
                 Link=f'</v2/_catalog?last={n}>; rel="next"')
        return True
    if k == 'catalog-endless' and path == '/v2/_catalog':
        endless(h)
    if k == 'ping-html' and path in ('/v2', '/v2/'):
        h.answer(200, b'<html>', 'text/html')
        return True
    return False


def before(h, what, words):
    if not h.name.startswith('hostile/'):
        return False
    function = LIES.get(h.name.removeprefix('hostile/'))
    return bool(function and function(h, what, words))


def fill(store, name, args):
    """Makes the image of hostile/KIND when it is first asked for."""
    with store.lock:
        what = name.removeprefix('hostile/')
        if name in store.repos or what not in {**KINDS, **LIES}:
            return
        image = Image(store.repo(name)).make()
        if what in KINDS:
            KINDS[what](image, args)
            return
        d = image.put()
        if what == 'manifest-other-bytes':
            put(image.repo, {'schemaVersion': 2, 'mediaType': INDEX, 'manifests': [
                {**d, 'platform': {'os': 'linux', 'architecture': ARCH}}]}, INDEX)

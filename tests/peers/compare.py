#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""compare.py A B: do two docker-archives hold the same image?
compare.py --changes BASE A: what does A hold that BASE does not?

Each argument is a docker-archive with one image. Its layers are put on top of each other here, by
the rules of the OCI image specification (layer.md), with no help of either builder, and then
compared: path, type, mode, owner, link target, hard-link groups, device numbers, content, xattrs;
and of the config what a container sees. Times, layer boundaries and history are not compared.
Prints one line a difference; exits 0 if there is none, 1 if there are, 2 for unreadable input.
With --changes it prints one line for each path and each part of the config that is not as in BASE,
with short contents in full, and exits 0.
"""
import gzip
import hashlib
import io
import json
import sys
import tarfile

TYPES = {tarfile.REGTYPE: 'file', tarfile.AREGTYPE: 'file', tarfile.DIRTYPE: 'dir',
         tarfile.SYMTYPE: 'symlink', tarfile.FIFOTYPE: 'fifo', tarfile.CHRTYPE: 'char',
         tarfile.BLKTYPE: 'block'}


def clean(name):
    parts = [p for p in name.split('/') if p not in ('', '.')]
    if '..' in parts:
        raise ValueError(f'a name with "..": {name}')
    return '/' + '/'.join(parts)


def remove(tree, path, itself):
    for other in [p for p in tree if (itself and p == path) or p.startswith(path.rstrip('/') + '/')]:
        del tree[other]


def apply_layer(tree, data):
    """tree: path -> [type, attributes, inode]; an inode is a list shared by hard links."""
    added = set()
    with tarfile.open(fileobj=io.BytesIO(data)) as layer:
        members = layer.getmembers()
        # Whiteouts hide what is below, whatever the order in the stream.
        for m in members:
            head, _, base = clean(m.name).rpartition('/')
            if base == '.wh..wh..opq':
                remove(tree, head or '/', False)
            elif base.startswith('.wh.'):
                remove(tree, f'{head}/{base[4:]}', True)
        for m in members:
            path = clean(m.name)
            if path.rpartition('/')[2].startswith('.wh.'):
                continue
            if m.islnk():
                remove(tree, path, True)
                tree[path] = tree[clean(m.linkname)]
                added.add(path)
                continue
            xattrs = {k[len('SCHILY.xattr.'):]: v for k, v in m.pax_headers.items()
                      if k.startswith('SCHILY.xattr.')}
            what = {'type': TYPES[m.type], 'mode': f'{m.mode & 0o7777:o}', 'uid': m.uid,
                    'gid': m.gid, 'xattrs': xattrs}
            if m.issym():
                what['target'] = m.linkname
                what['mode'] = '777'
            elif m.isfile():
                content = layer.extractfile(m).read()
                what['size'] = len(content)
                what['sha256'] = hashlib.sha256(content).hexdigest()
                what['text'] = content[:200].decode(errors='backslashreplace')
            elif m.isdev():
                what['device'] = f'{m.devmajor}:{m.devminor}'
            if not (m.isdir() and tree.get(path, {}).get('type') == 'dir'):
                remove(tree, path, True)
            tree[path] = what
            added.add(path)


def read_image(path):
    with tarfile.open(path) as archive:
        files = {}
        links = {}
        for m in archive.getmembers():
            if m.isfile():
                files[m.name] = archive.extractfile(m).read()
            elif m.issym():
                links[m.name] = m.linkname
    def content(name):
        if name in links:  # containers/image links the legacy names to the layers
            head = name.rpartition('/')[0]
            joined = f'{head}/{links[name]}' if head else links[name]
            parts = []
            for part in joined.split('/'):
                if part == '..':
                    parts.pop()
                elif part not in ('', '.'):
                    parts.append(part)
            name = '/'.join(parts)
        return files[name]
    manifest, = json.loads(files['manifest.json'])
    tree = {}
    for name in manifest['Layers'] or []:  # docker writes null for none
        data = content(name)
        apply_layer(tree, gzip.decompress(data) if data[:2] == b'\x1f\x8b' else data)
    for path, what in tree.items():
        what.setdefault('links', []).append(path)
    return tree, json.loads(content(manifest['Config']))


def config_view(config):
    inner = config.get('config') or {}
    view = {'os': config.get('os'), 'architecture': config.get('architecture'),
            'author': config.get('author') or ''}
    for key in ('User', 'WorkingDir', 'StopSignal'):
        view[key] = inner.get(key) or ''
    for key in ('Env', 'Cmd', 'Entrypoint', 'Shell', 'OnBuild'):
        view[key] = inner.get(key) or []
    for key in ('ExposedPorts', 'Volumes', 'Labels', 'Healthcheck'):
        view[key] = inner.get(key) or {}
    view['Healthcheck'] = {k: v for k, v in view['Healthcheck'].items() if v}
    # Neither the order of the variables nor a working directory of "/" means anything to a program.
    view['Env'] = sorted(view['Env'])
    view['WorkingDir'] = view['WorkingDir'] or '/'
    return view


def shown(what):
    """A path's line of --changes, but for the path itself."""
    words = [what['type'], what['mode'], f"{what['uid']}:{what['gid']}"]
    if 'target' in what:
        words.append(f"-> {what['target']}")
    if 'device' in what:
        words.append(what['device'])
    if what['type'] == 'file':
        short = what['size'] <= 200
        words.append(json.dumps(what['text']) if short else f"{what['size']} {what['sha256'][:12]}")
    words += [f'{k}={v}' for k, v in sorted(what['xattrs'].items())]
    return ' '.join(words)


def changes(base, image):
    (tree_base, config_base), (tree, config) = base, image
    for path in sorted(tree_base.keys() | tree.keys()):
        old, new = tree_base.get(path), tree.get(path)
        if new is None:
            if path == '/' or (path.rpartition('/')[0] or '/') in tree:
                print(f'{path} removed')
        elif new['links'][0] != path:
            if old is None or old['links'] != new['links']:
                print(f"{path} = {new['links'][0]}")
        elif old is None or shown(old) != shown(new):
            print(path, shown(new))
    a, b = config_view(config_base), config_view(config)
    for key in a:
        if a[key] != b[key]:
            print(f'config {key} {json.dumps(b[key], sort_keys=True)}')


def main():
    if len(sys.argv) == 4 and sys.argv[1] == '--changes':
        changes(*map(read_image, sys.argv[2:]))
        return 0
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    (tree_a, config_a), (tree_b, config_b) = map(read_image, sys.argv[1:])
    differences = []
    for path in sorted(tree_a.keys() | tree_b.keys()):
        a, b = tree_a.get(path), tree_b.get(path)
        if path == '/':  # the root directory itself: not every builder writes it
            if a and b and a != b:
                differences += [f'/: {k}: {a[k]!r} / {b[k]!r}' for k in ('mode', 'uid', 'gid')
                                if a[k] != b[k]]
        elif a is None or b is None:
            differences.append(f'{path}: only in {"B" if a is None else "A"} ({(a or b)["type"]})')
        else:
            differences += [f'{path}: {k}: {a.get(k)!r} / {b.get(k)!r}'
                            for k in sorted(a.keys() | b.keys())
                            if k != 'text' and a.get(k) != b.get(k)]
    a, b = config_view(config_a), config_view(config_b)
    differences += [f'config {k}: {a[k]!r} / {b[k]!r}' for k in a if a[k] != b[k]]
    for line in differences:
        print(line)
    return 1 if differences else 0


sys.exit(main())

#!/bin/sh
# import: a root file system as an image; hostile ones stay inside.
. "$(dirname "$0")/../lib/tap.sh"
tar=$(rootfs_tar)
ok "import a file" thimble import "$tar" one
ok "runs" thimble run --rm one /bin/hello
ok "import standard input, with changes" sh -c \
	'"$THIMBLE" import -c "CMD [\"/bin/hello\"]" --change "ENV A=b" - two:tag <"'"$tar"'"'
ok "runs its CMD" thimble run --rm two:tag
is "$(thimble inspect --format '{{json .Config.Env}}' two:tag)" '["A=b"]' "ENV"
ok "gzip" sh -c 'gzip -c "'"$tar"'" | "$THIMBLE" import - three'
ok "xz" sh -c 'xz -0 -c "'"$tar"'" | "$THIMBLE" import - four'
fails 1 "an instruction that makes no sense there" thimble import -c 'RUN true' "$tar" five
like "$err" 'RUN' "is named"
fails 1 "no tar" thimble import /bin/busybox six

# Names that want out: through "..", through a link, by an absolute path.
mkdir outside
python3 - "$T/evil" "$PWD/outside" <<'P'
import io, sys, tarfile
prefix, outside = sys.argv[1:]
def archive(name, *members):
    with tarfile.open(f'{prefix}-{name}.tar', 'w') as t:
        for m in members:
            info = tarfile.TarInfo(m[0])
            info.type = m[1]
            info.mode = 0o755
            data = b'owned\n' if m[1] == tarfile.REGTYPE else b''
            info.size = len(data)
            if len(m) > 2:
                info.linkname = m[2]
            t.addfile(info, io.BytesIO(data))
R, S, L, D = tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE
archive('dotdot', ('../../../../../../../../' + outside + '/f', R))
archive('absolute', (outside + '/f', R))
archive('symlink', ('out', S, outside), ('out/f', R))
archive('deep', ('a', D), ('a/out', S, '../../../../../../../../../' + outside), ('a/out/f', R))
archive('hardlink', ('h', L, outside + '/target'), ('h', R))
P
echo untouched >outside/target
for kind in dotdot absolute symlink deep hardlink; do
	run thimble import "$T/evil-$kind.tar" "evil-$kind"
	is "$(ls outside) $(cat outside/target)" 'target untouched' "$kind: nothing outside was made or changed"
	unlike "$err" 'Sanitizer|Segmentation|Assertion' "$kind: no crash"
done
done_testing

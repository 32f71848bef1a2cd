#!/bin/sh
# COPY and ADD seen in the built image: the CPY and ADD rows of dockerfile.md that need real files,
# owners and links on a disk (the rules themselves are tested in tests/unit/build).
. "$(dirname "$0")/../lib/tap.sh"
. "$tests/lib/rows.sh"
base_image
mkdir -p dir/sub x/y lib root/lib arch
echo f >f && echo a >dir/a && echo s >dir/sub/s && ln -s a dir/link && ln dir/a dir/hard && ln -s f tof
echo g >x/y/g && echo l >root/lib/l && chmod 600 dir/sub/s && chmod 711 dir/sub
touch -d '2001-02-03 04:05:06.123456789' dir/a
python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("sock")'
echo m >arch/m && ln arch/m arch/n && mkdir arch/d && chmod 700 arch/d
tar -C arch --owner=12 --group=34 --numeric-owner -cf t.tar .
for z in 'gzip gz' 'bzip2 bz2' 'xz xz' 'zstd zst'; do ${z% *} -c t.tar >"t.${z#* }"; done
echo fake >fake.tar.gz
row "CPY12 links in a directory stay links" 'readlink /d/link' a <<'D'
FROM base
COPY dir /d
D
row "CPY39 CPY40 hard links stay one file, times to the nanosecond" \
	'stat -c "%h" /d/a; stat -c %y /d/a' '2
2001-02-03 04:05:06.123456789 +0000' <<'D'
FROM base
COPY dir /d
D
row "CPY14 a stage's links are followed inside of it" 'cat /1 /2 /3' 'foo
foo
foo' <<'D'
FROM base AS s
RUN mkdir -p /out/sub && echo foo >/out/sub/foo && ln -s out/sub /rel && ln -s /out/sub /abs && ln -s ../../../../out/sub/foo /up
FROM base
COPY --from=s /rel/foo /1
COPY --from=s /abs/foo /2
COPY --from=s /up /3
D
bad "CPY16 a directory onto a link" 'cannot copy to non-directory: /lib' <<'D'
FROM base
RUN mkdir -p /usr/lib && ln -s usr/lib /lib
COPY root /
D
bad "CPY17 a file onto a directory" '/d/a' <<'D'
FROM base
RUN mkdir -p /d/a
COPY dir /d
D
row "CPY18 a socket becomes an empty file" 'stat -c "%F" /sock' 'regular empty file' <<'D'
FROM base
COPY sock /
D
row "CPY19 owners from a stage" 'stat -c "%u:%g %a" /new /new/d /new/d/x' '0:0 755
100:200 2750
100:200 4711' <<'D'
FROM base AS s
RUN mkdir -p /o/d && echo x >/o/d/x && chown -R 100:200 /o && chmod 2750 /o/d && chmod 4711 /o/d/x
FROM base
COPY --from=s /o /new
D
row "CPY22 an unknown name is root" 'stat -c %u:%g /f' 0:0 <<'D'
FROM base
COPY --chown=nosuch f /
D
thimble build --no-cache --progress plain . >/dev/null 2>"$T/err"
like "$(cat "$T/err")" 'nosuch' "CPY22 and warned of"
bad "CPY22 a name on scratch" 'number' <<'D'
FROM scratch
COPY --chown=app f /
D
bad "CPY22 a name with --link" 'number' <<'D'
FROM base
COPY --link --chown=app f /
D
row "CPY27 --link below WORKDIR" 'cat /w/f' f <<'D'
FROM base
WORKDIR /w
COPY --link f .
D
row "CPY28 --link does not follow the image's links" 'ls -ld /sym | cut -c1; cat /sym/f; ls -A /real' 'd
f' <<'D'
FROM base
RUN mkdir /real && ln -s real /sym
COPY --link f /sym/f
D
row "CPY30 CPY31 --parents and its pivot" 'cd /o && find . | sort | tr "\n" " "' \
	'. ./b ./b/c ./b/c/e ./b/c/e/g ./c ./c/d ./c/d/e ./c/d/e/h ' <<'D'
FROM base AS s
RUN mkdir -p /t/a/b/c/e /t/k/c/d/e && echo g >/t/a/b/c/e/g && echo h >/t/k/c/d/e/h
FROM base
COPY --from=s --parents /t/a/./b/./c /o/
COPY --from=s --parents /t/*/./c/**/e /o/
D
row "CPY29 the directories kept have their own modes and owners" 'stat -c "%a %u:%g" /o/p /o/p/q' '700 3:4
2711 5:6' <<'D'
FROM base AS s
RUN mkdir -p /p/q && echo x >/p/q/f && chown 3:4 /p && chown 5:6 /p/q && chmod 700 /p && chmod 2711 /p/q
FROM base
COPY --from=s --parents /p/q/f /o/
D
mkdir -p far/up/down && echo other >far/up/n && echo mine >n && ln -s far/up/down deep
row "'..' is taken away as text, as BuildKit does" 'cat /a /b /o/n; ls /z/m' 'mine
mine
mine
/z/m' <<'D'
FROM base
COPY deep/../n /a
COPY nothing/../n /b
COPY --parents deep/../n /o/
ADD nothing/../t.gz /z/
D
bad "and what a link leads to does not count" '"/up": not found' <<'D'
FROM base
COPY deep/../up /x
D
bad "CPY32 --parents of nothing" 'no/f' <<'D'
FROM base
COPY --parents no/f /o/
D
bad "CPY35 --from with a number too large" 'invalid stage index' <<'D'
FROM base
COPY --from=9 /x /
D
bad "CPY35 also where nobody needs the stage" 'invalid stage index' <<'D'
FROM base
COPY --from=9 /x /
FROM base
D
bad "CPY36 --from of itself" 'circular dependency' <<'D'
FROM base AS me
COPY --from=me /x /
D
bad "CPY36 --from of each other" 'circular|needs to be defined before' <<'D'
FROM base AS one
COPY --from=two /x /
FROM base AS two
COPY --from=one /x /
D
bad "CPY37 --from of a later stage" 'needs to be defined before' <<'D'
FROM base AS first
COPY --from=later /x /
FROM base AS later
D
bad "a URL" "can't be a URL" <<'D'
FROM base
COPY http://localhost/x /
D
row "CPY38 --from starts at the root" 'cat /d' root <<'D'
FROM base AS b
RUN echo root >/file && mkdir /foo && echo workdir >/foo/file
WORKDIR /foo
FROM base
COPY --from=b file /d
D
row "ADD01 archives by their content" \
	'for i in tar gz bz2 xz zst; do cat /$i/m; stat -c "%h %u:%g" /$i/m; stat -c %a /$i/d; done | sort | uniq -c | sed "s/^ *//"; cat /fake.tar.gz' \
	'5 2 12:34
5 700
5 m
fake' <<'D'
FROM base
ADD t.tar /tar
ADD t.gz /gz/
ADD t.bz2 /bz2
ADD t.xz /xz
ADD t.zst /zst
ADD fake.tar.gz /
D
# Archives that take more memory than we give are not taken for files that are none.
xz -c --lzma2=preset=0,dict=256MiB t.tar >wide.xz
zstd -q --long=30 --ultra -c <t.tar >wide.zst
for wide in wide.xz wide.zst; do
	bad "ADD $wide" 'needs more than 128 MiB of memory' <<D
FROM base
ADD $wide /w/
D
done
row "ADD02 --unpack=false" 'ls /o' t.gz <<'D'
FROM base
ADD --unpack=false t.gz /o/
D
row "ADD03 --chown of what is unpacked" 'stat -c %u:%g /o /o/m /o/d' '1:2
1:2
1:2' <<'D'
FROM base
ADD --chown=1:2 t.tar /o/
D
mkdir -p v/var/run && echo pid >v/var/run/p && ln v/var/run/p v/var/run/q && tar -C v --owner=0 --group=0 -cf v.tar var
row "ADD04 an archive through a link of the image" 'readlink /var/run; cat /run/p; stat -c %h /run/q' '/run
pid
2' <<'D'
FROM base
RUN mkdir -p /run && ln -s /run /var/run
ADD v.tar /
D
bad "ADD09 --checksum of a local file" 'requires HTTP' <<D
FROM base
ADD --checksum=sha256:$(printf '%064d' 0) f /
D
bad "ADD of a URL" 'not supported yet' <<'D'
FROM base
ADD http://localhost/x /
D
mkdir -p odd && echo x >'odd/#x' && echo y >odd/y
row "CPY33 --exclude of a name that would be a comment in a file" 'ls -A /c' y <<'D'
FROM base
COPY --exclude=#x odd /c
D
bad "CPY33 a pattern that is none" "syntax error in pattern|illegal" <<'D'
FROM base
COPY --exclude=[ odd /c
D
like "$err" 'Dockerfile:2' "and where"
bad "CPY33 a pattern of a ! alone" "illegal exclusion pattern" <<'D'
FROM base
COPY --exclude=a --exclude=! odd /c
D
printf 'Dockerfile\n' >.dockerignore
bad "IGN09 a Dockerfile that is ignored is no file to copy" 'dockerignore' <<'D'
FROM base
COPY Dockerfile /
D
row "IGN09 but builds" 'ls /c | grep -c Dockerfile' 0 <<'D'
FROM base
COPY . /c
D
printf 'f\n' >.dockerignore
printf '*\n!f\n' >Own.dockerignore
printf 'FROM base\nCOPY . /c\n' >Own
ok "IGN08 -f Own" thimble build -q -t it -f Own .
is "$(thimble run --rm it ls -A /c)" f "IGN08 reads Own.dockerignore, and that alone"
done_testing

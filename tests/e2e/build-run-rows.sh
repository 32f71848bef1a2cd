#!/bin/sh
# RUN: what a step sees and leaves. The RUN rows of dockerfile.md, and CFG15 to CFG17.
. "$(dirname "$0")/../lib/tap.sh"
. "$tests/lib/rows.sh"
base_image
echo context >file
mkdir -p dir && echo x >dir/x
bad "RUN01 a status that is not 0" 'exit code: 3|status 3|3' <<'D'
FROM base
RUN true
RUN exit 3
D
like "$err" 'Dockerfile:3' "RUN01 and the line"
row "RUN03 the context, read-only" 'cat /got' 'context
read-only' <<'D'
FROM base
RUN --mount=target=/c cat /c/file >/got; echo 2>/dev/null >/c/new || echo read-only >>/got
D
row "RUN04 rw: written, and gone after" 'cat /1 /2' 'changed
context' <<'D'
FROM base
RUN --mount=target=/c,rw echo changed >/c/file && cat /c/file >/1
RUN --mount=target=/c cat /c/file >/2
D
is "$(cat file)" context "RUN04 the context itself is as it was"
row "a mount of a stage, of an image, of a file, below WORKDIR" 'cat /got; ls -A /w' 'stage
root:x:0:0:root:/root:/bin/sh
context
x' <<'D'
FROM base AS s
RUN mkdir /o && echo stage >/o/f
FROM base
WORKDIR /w
RUN --mount=from=s,source=/o,target=/o --mount=from=base,target=/base \
	--mount=source=file,target=/tmp/one --mount=source=dir,target=rel \
	{ cat /o/f; head -n 1 /base/etc/passwd; cat /tmp/one rel/x; } >/got
D
row "RUN06 tmpfs" 'cat /got; ls -A /t' '131072
below' <<'D'
FROM base
RUN mkdir /t && echo x >/t/below
RUN --mount=type=tmpfs,target=/t,size=128m df -k /t | awk 'END { print $2 }' >/got; ls /t >>/got; echo x >/t/x
D
row "RUN08 caches: the same target is the same, another is another" 'cat /got' 'one
none' <<'D'
FROM base
RUN --mount=type=cache,target=/a echo one >/a/f
RUN --mount=type=cache,target=/a cat /a/f >/got
RUN --mount=type=cache,target=/b cat /b/f >>/got 2>/dev/null || echo none >>/got
D
row "a cache by its id, and read-only" 'cat /got' 'one
read-only' <<'D'
FROM base
RUN --mount=type=cache,target=/x/y,id=/a cat /x/y/f >/got
RUN --mount=type=cache,target=/a,ro echo 2>/dev/null >/a/g || echo read-only >>/got
D
row "RUN09 owner and mode of a cache" 'cat /got' '751 1001:1002' <<'D'
FROM base
RUN --mount=type=cache,target=/new,uid=1001,gid=1002,mode=0751 stat -c '%a %u:%g' /new >/got
D
row "RUN13 nested caches in stages side by side" 'cat /f' 'inner' <<'D'
FROM base AS a
RUN --mount=type=cache,target=/f --mount=type=cache,target=/f/g echo inner >/f/g/a && cp /f/g/a /a
FROM base AS b
RUN --mount=type=cache,target=/f --mount=type=cache,target=/f/g echo inner >/f/g/b && cp /f/g/b /b
FROM base
COPY --from=a /a /f
COPY --from=b /b /f
D
for i in 1 2 3 4 5 6 7 8 9 10; do
	thimble build -q --no-cache . >"$T/out" 2>"$T/err" || break
done
is "$i $(cat "$T/err")" "10 " "RUN13 ten times"
row "RUN24 --network=none" 'cat /net' lo <<'D'
FROM base
RUN --network=none ls /sys/class/net >/net 2>/dev/null || awk -F: 'NR > 2 { print $1 }' /proc/net/dev | tr -d ' ' >/net
D
bad "RUN25 --network=host" 'entitlement network.host is not allowed' <<'D'
FROM base
RUN --network=host true
D
bad "an unknown network" 'invalid network mode|network' <<'D'
FROM base
RUN --network=bridge true
D
row "RUN27 --add-host" 'cat /seen; grep -c 1.2.3.4 /etc/hosts' '1
0' --add-host a.example=1.2.3.4 <<'D'
FROM base
RUN grep -c '^1.2.3.4.*a.example' /etc/hosts >/seen
D
row "RUN28 identities" 'cat /tmp/ids' '1234 0 0
1000 50 50
1000 1000 1000 50
1 1 1' <<'D'
FROM base
USER 1234
RUN echo "$(id -u) $(id -g) $(id -G)" >/tmp/ids
USER root
RUN chmod 666 /tmp/ids
USER app:staff
RUN echo "$(id -u) $(id -g) $(id -G)" >>/tmp/ids
USER app
RUN echo "$(id -u) $(id -g) $(id -G)" >>/tmp/ids
USER daemon
RUN echo "$(id -u) $(id -g) $(id -G)" >>/tmp/ids
D
bad "RUN29 a user that is not there" 'nosuch' <<'D'
FROM base
USER nosuch
RUN true
D
row "RUN30 the host's name" 'cat /h' 'buildkitsandbox' <<'D'
FROM base
RUN hostname >/h
D
row "RUN30 BUILDKIT_SANDBOX_HOSTNAME" 'cat /h' 'other' --build-arg BUILDKIT_SANDBOX_HOSTNAME=other <<'D'
FROM base
RUN hostname >/h
D
row "what the builder mounts stays out of the layer" 'cat /motd; ls /etc | tr "\n" " "; ls -A /dev /proc/sys /sys | grep -c stray' 'x
group hostname hosts motd passwd resolv.conf 0' <<'D'
FROM base
RUN echo 9.9.9.9 evil >>/etc/hosts 2>/dev/null; : >/dev/stray 2>/dev/null; echo x >/etc/motd; cp /etc/motd /motd
RUN ! grep -q evil /etc/hosts
D
row "standard input is empty, umask 022" 'cat /got' '0
0022' <<'D'
FROM base
RUN wc -c >/got; umask >>/got
D
row "HOME of the user" 'cat /tmp/h' '/root
/home/app
/' <<'D'
FROM base
RUN echo "$HOME" >/tmp/h && chmod 666 /tmp/h
USER app
RUN echo "$HOME" >>/tmp/h
USER 4321
RUN echo "$HOME" >>/tmp/h
D
row "CFG15 WORKDIR" 'pwd; stat -c "%a %u" /a /a/b' '/a
755 0
755 0' <<'D'
FROM base
WORKDIR /a
WORKDIR b
WORKDIR ..
D
row "CFG16 a directory of WORKDIR is the user's" 'stat -c "%u:%g" /d /d/e' '1000:1000
1000:1000' <<'D'
FROM base
USER app
WORKDIR /d/e
D
row "CFG17 one that is there keeps its owner" 'stat -c "%u:%g %a" /d /d/e' '7:8 711
1000:1000 755' <<'D'
FROM base
RUN mkdir -m 711 /d && chown 7:8 /d
USER app
WORKDIR /d/e
D
row "a directory of WORKDIR that a step removed is made again, for good" 'cat /w/e/here; stat -c %a /w /w/e' '/w/e
755
755' <<'D'
FROM base
WORKDIR /w/e
RUN cd / && rm -r /w
RUN pwd >here
D
row "it is the user's then, too" 'stat -c "%u:%g %a" /w /w/e' '1000:1000 755
1000:1000 755' <<'D'
FROM base
WORKDIR /w/e
RUN cd / && rm -r /w
USER app
RUN true
D
for r in 'RUN []|RUN \[\]' 'RUN --mount=type=tmp,target=/t true|tmpfs' 'RUN --mount=typ=tmpfs,target=/t true|type' \
	'RUN --mount=target=/ true|target' 'RUN --mount=type=bind,sharing=locked,target=/t true|sharing' \
	'RUN --mount=size=1m,type=tmpfs,target=/t true|size' 'RUN --mount=from=0,target=/t true|number' \
	'RUN --mount=from=$S,target=/t true|alias' 'RUN --mount=source=nothere,target=/t true|nothere' \
	'RUN --mount=type=secret,id=x true|not supported yet' 'RUN --mount=type=ssh true|not supported yet' \
	'RUN --mount=type=cache,target=/t,from=base true|not supported yet' \
	'RUN --security=insecure true|not supported yet' 'RUN --device=x true|not supported yet'; do
	bad "${r%|*}" "${r##*|}" <<D
FROM base
${r%|*}
D
done
done_testing

#!/bin/sh
# shellcheck disable=SC2016  # what the programs of the fixture expand
# The examples of the manual and of --help do what they say: each runs in a directory with the files
# and in a store with the images that it speaks of, ends with 0, and prints what is shown.
. "$(dirname "$0")/../lib/tap.sh"
. "$tests/lib/registry/registry.sh"
man=$tests/../man
"$tests/lib/examples" write "$man" "$THIMBLE" "$T/examples" || { echo "Bail out! no examples"; exit 1; }

# What docker, skopeo and mmdebstrap would give and take: here thimble and the tests' root file system.
mkdir "$T/bin"
tar=$(rootfs_tar)
ln -s "$THIMBLE" "$T/bin/thimble"
cat >"$T/bin/docker" <<'D'
#!/bin/sh
case $1 in
save) shift; exec thimble save --format docker "$@" ;;
load) exec thimble --root "$THIMBLE_ROOT-of-docker" load ;;
esac
exit 9
D
printf '#!/bin/sh\nexec cat "%s"\n' "$tar" >"$T/bin/mmdebstrap"
chmod 755 "$T/bin/docker" "$T/bin/mmdebstrap"

# Files: a program in C, Dockerfiles with the stages, arguments and bases that the examples name.
mkdir "$T/files"
(
	cd "$T/files" || exit
	cat >hello.c <<-'D'
		#include <stdio.h>
		int main(void) { puts("Hello, world!"); }
	D
	cat >Dockerfile.gcc <<-'D'
		FROM gcc
		COPY hello.c .
		RUN gcc -o /hello hello.c
		CMD ["/hello"]
	D
	cat >Dockerfile <<-'D'
		FROM gcc AS build
		ARG VERSION=1
		COPY hello.c .
		RUN gcc -o /hello hello.c && echo $VERSION >/version
		CMD ["/hello"]
		FROM build AS run
		LABEL org.opencontainers.image.version=$VERSION
	D
	printf 'all:\n\techo made\n' >Makefile
	cp "$tar" rootfs.tar
	tls
	cp "$ca" ca.pem
	for name in sbom.json sbom.spdx.json report.txt; do echo '{}' >$name; done
)
# The registry that the examples speak of. docker.io is another part of it, to be pulled from.
if python3 -c 'import socket; socket.socket().bind(("127.0.0.1", 5000))' 2>/dev/null; then
	registry plain port=5000
	printf '[[registry]]\nprefix = "docker.io"\nlocation = "%s/hub"\ninsecure = true\n' "$host" \
		>"$CONTAINERS_REGISTRIES_CONF"
else
	registry_taken=1
fi
# An image gcc, whose compiler knows one program, and whose make another.
cat >"$T/gcc" <<'D'
FROM base
COPY --chmod=755 <<"gcc" <<"make" /bin/
#!/bin/sh
cp /bin/hello "$2"
gcc
#!/bin/sh
test -f Makefile
make
D
cat >"$T/scratch" <<'D'
FROM base AS files
RUN mkdir -p /files/etc && echo ID=base >/etc/os-release
FROM files AS gcc
LABEL org.opencontainers.image.version=1.0
CMD ["/bin/hello"]
FROM scratch AS scratch
COPY --from=files /bin/hello /hello
CMD ["/hello"]
D
images() {
	thimble rmi -f hello hello:small >/dev/null 2>&1 # what other examples made
	base_image base debian
	thimble build -q -t gcc -f "$T/gcc" "$T/files" &&
		thimble build -q -t hello:gcc -t hello:1 -t hello:old --target gcc -f "$T/scratch" "$T/files" &&
		thimble build -q -t hello:scratch --target scratch -f "$T/scratch" "$T/files" &&
		thimble save -o "$T/files/hello.tar" hello:1 &&
		thimble save --format docker -o "$T/files/app.tar" hello:1 || return
	for arch in amd64 arm64 arm; do
		[ -z "$(thimble images -q "app:$arch")" ] || continue
		thimble import --platform "linux/$arch" "$T/files/rootfs.tar" "app:$arch" >/dev/null || return
	done
	for also in app localhost:5000/team/app:1 localhost:5000/hello:gcc; do thimble tag hello:1 "$also" || return; done
}
ok "the images of the examples" images
elsewhere() {
	thimble push -q localhost:5000/hello:gcc
	thimble push -q app:arm64 localhost:5000/app:arm64
	thimble push -q app localhost:5000/hub/library/gcc:13
	for name in app:1 team/app:1 hub/library/debian:bookworm-slim hub/library/debian:12; do
		thimble manifest create "localhost:5000/$name" app:amd64 app:arm64 >/dev/null &&
			thimble manifest push --purge "localhost:5000/$name" >/dev/null || return
	done
	team=sha256:$(thimble inspect --remote --raw localhost:5000/team/app:1 | sha256sum | cut -d' ' -f1)
	thimble attach -q --artifact-type application/spdx+json localhost:5000/app:1 "$T/files/sbom.json"
}
if [ -n "${registry_taken-}" ]; then
	skip "port 5000 is taken" "the examples of registries"
else
	ok "the registries of the examples" elsewhere
fi

changed='' team=${team-}
for at in "$T/examples"/*; do
	name=$(cat "$at/name")
	if [ -e "$at/reason" ]; then
		like "$(cat "$at/reason")" '[a-z]{3}' "$name: not run, and it is said why"
		continue
	fi
	if [ -n "${registry_taken-}" ] && grep -qE 'localhost:5000|(pull|skopeo) ' "$at/script"; then
		skip "port 5000 is taken" "$name"
		continue
	fi
	[ -z "$changed" ] || images >/dev/null 2>&1
	case $name in *inspect*|*history*|*info*|*version*|*thimble\ images*|*save*) changed='' ;; *) changed=1 ;; esac
	cp -R "$T/files" "$at/d"
	mkdir -p "$at/home/.config/fish/completions" "$at/home/.local/share/bash-completion/completions"
	sed -i "s/3f9a1c0b77de/$(thimble images -q hello:gcc)/; s/sha256:…/$team/" "$at/script"
	for list in app:1 localhost:5000/app:1; do
		thimble manifest rm "$list" >/dev/null 2>&1
		case $name in *"--help: thimble manifest "[!c]*" $list"*) thimble manifest create "$list" app:amd64 app:arm >/dev/null ;; esac
	done
	case $(cat "$at/script") in
	*\ -it\ *) set -- sh -c 'echo exit | script -qec "bash -e ../script" /dev/null' ;;
	*"prune -a --volumes") set -- sh -c 'echo y | script -qec "bash -e ../script" /dev/null' ;;
	*) set -- bash -e -o pipefail ../script ;;
	esac
	ok "$name" sh -c 'cd "$1" && shift && exec "$@"' sh "$at/d" \
		env PATH="$T/bin:$PATH" HOME="$at/home" timeout 120 "$@"
	[ -e "$at/shown" ] || continue
	cp "$T/out" "$at/out"
	ok "$name: prints what is shown" "$tests/lib/examples" match "$at/shown" "$at/out" ||
		diag_file "$at/out"
done
done_testing

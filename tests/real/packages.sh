#!/bin/sh
# Debian packages whose maintainer scripts ask much of a builder: file capabilities, setuid and
# setgid, diversions, alternatives, triggers, system users, device and service set-up; removal too.
. "$(dirname "$0")/../lib/tap.sh"
ok "the base image" "$tests/../examples/minimage/bases" --thimble "$THIMBLE" debian

dockerfile <<'D'
FROM debian
ENV DEBIAN_FRONTEND=noninteractive
RUN apt-get update && apt-get install -y --no-install-recommends \
    iputils-ping libcap2-bin sudo cron dbus openssh-server man-db udev systemd attr acl util-linux \
    python3-minimal vim-tiny less tzdata ca-certificates strace rsync fakeroot netcat-openbsd
RUN dpkg --audit && apt-get check && test -z "$(dpkg -l | awk '/^i[^i]/')"
RUN apt-get purge -y man-db vim-tiny && apt-get autoremove -y --purge && \
    apt-get install -y --reinstall --no-install-recommends libcap2-bin && \
    dpkg-divert --local --rename --add /usr/bin/less && ln -s /bin/true /usr/bin/less && \
    chattr +i /etc/issue 2>/dev/null; rm -rf /var/lib/apt/lists/*
RUN useradd -m app && echo 'app ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/app && \
    cp /bin/id /usr/local/bin/gid-id && chgrp games /usr/local/bin/gid-id && \
    chmod 2755 /usr/local/bin/gid-id && setfacl -m u:app:r /etc/shadow && \
    setfattr -n user.note -v here /etc/motd && setcap cap_chown+ep /usr/local/bin/gid-id && \
    touch -d 1999-01-01T00:00:00Z /old && mkfifo -m 622 /pipe && truncate -s 64M /sparse
USER app
CMD ["sh"]
D
cat >facts.sh <<'S'
getcap /usr/bin/ping /usr/local/bin/gid-id
stat -c '%a %U %G %n' /usr/bin/sudo /usr/bin/crontab /usr/local/bin/gid-id /etc/shadow /pipe
getfacl -cp /etc/shadow | grep app
getfattr --only-values -n user.note /etc/motd; echo
stat -c '%Y %s' /old /sparse | sed 's/^[0-9]* 67108864/sparse/'
readlink /usr/bin/less; test -x /usr/bin/less.distrib && echo diverted
command -v vim.tiny man
dpkg -V libcap2-bin sudo cron dbus openssh-server udev systemd
S
want="/usr/bin/ping cap_net_raw=ep
/usr/local/bin/gid-id cap_chown=ep
4755 root root /usr/bin/sudo
2755 root crontab /usr/bin/crontab
2755 root games /usr/local/bin/gid-id
640 root shadow /etc/shadow
622 root root /pipe
user:app:r--
here
915148800 0
sparse
/bin/true
diverted"
check() { # LABEL IMAGE
	label=$1
	run sh -c "\"\$THIMBLE\" run --rm -i -u 0 $2 sh <facts.sh"
	is "$out" "$want" "$label: capabilities, modes, ACLs, times, diversions"
	ok "$label: sudo makes a user root" thimble run --rm "$2" sudo id -u
	is "$out" 0 "$label: it does"
	ok "$label: ping by its file capability" thimble run --rm --network none "$2" ping -qc1 127.0.0.1
	ok "$label: setgid" thimble run --rm "$2" gid-id -gn
	is "$out" games "$label: it is"
	ok "$label: an ACL" thimble run --rm "$2" test -r /etc/shadow
}
ok "built" thimble build --progress plain -t packages .
check built packages
ok "saved" thimble save --compression zstd -o p.tar packages
id=$(thimble inspect --format '{{.Id}}' packages)
ok "removed" thimble rmi packages
thimble prune -f >/dev/null 2>&1
ok "loaded" thimble load -q -i p.tar
is "$(thimble inspect --format '{{.Id}}' packages)" "$id" "with the same id"
check loaded packages
ok "an ssh server answers its client" thimble run --rm --network none -u 0 packages sh -c '
	mkdir -p /run/sshd && ssh-keygen -q -t ed25519 -N "" -f /root/.ssh/id && cp /root/.ssh/id.pub /root/.ssh/authorized_keys &&
	/usr/sbin/sshd && ssh -o StrictHostKeyChecking=no -i /root/.ssh/id root@127.0.0.1 "id -u; tty; echo from ssh"'
like "$out" 'from ssh' "and it is there"
ok "a message bus" thimble run --rm packages dbus-run-session -- dbus-send --session --print-reply \
	--dest=org.freedesktop.DBus / org.freedesktop.DBus.ListNames
ok "strace traces what it starts" thimble run --rm packages strace -f -o /tmp/t true
done_testing

#!/bin/sh
# A step sees its own machine: processes, mounts, devices, capabilities, descriptors.
. "$(dirname "$0")/../lib/tap.sh"
base_image
dockerfile <<'D'
FROM base
RUN { \
	echo "pids $(ls /proc | grep -c '^[0-9]*$')"; \
	echo "hosts-root $(ls -a / | tr '\n' ' ')"; \
	echo "fds $(ls /proc/self/fd | tr '\n' ' ')"; \
	echo "uid $(id -u)"; \
	grep -E '^(CapEff|CapBnd|Seccomp|NoNewPrivs):' /proc/self/status; \
	echo "tty $(tty)"; \
	touch /sys/x 2>/dev/null && echo "sys is writable"; \
	echo 1 >/proc/sys/kernel/hostname 2>/dev/null && echo "sysctl is writable"; \
	cat /proc/kcore >/dev/null 2>&1 && [ -s /proc/kcore ] && echo "kcore is readable"; \
	echo "dev $(ls /dev | tr '\n' ' ')"; \
	echo data >/dev/null && head -c 4 /dev/zero | wc -c; \
	mknod /blk b 8 0 2>/dev/null && dd if=/blk of=/dev/null bs=512 count=1 2>/dev/null && echo "disk is readable"; \
	rm -f /blk; \
	mount -t tmpfs none /mnt 2>/dev/null && echo "mount works"; \
	reboot -f 2>/dev/null && echo "reboot works"; \
	true; } >/seen 2>&1
D
ok "builds" thimble build -q -t it .
thimble run --rm it cat /seen >seen
sed 's/^/# /' seen
seen=$(cat seen)
pids=$(sed -n 's/^pids //p' seen)
ok "a pid namespace of its own" test "$pids" -lt 10
like "$seen" '^hosts-root \. \.\. bin dev etc .*proc root .*sys tmp var ?$' "the image's root only"
like "$seen" '^fds 0 1 2 (3 )?$' "no descriptor but 0, 1, 2 (and ls's own)"
like "$seen" '^uid 0$' "root"
# Docker's fourteen: what CapBnd says in a container of docker.
like "$seen" '^CapBnd:.00000000a80425fb$' "the bounding set is docker's"
like "$seen" '^CapEff:.00000000a80425fb$' "and so is the effective one"
like "$seen" '^Seccomp:.2$' "a filter is in force"
like "$seen" '^NoNewPrivs:.0$' "setuid programs work"
like "$seen" '^tty not a tty$' "no terminal"
unlike "$seen" 'is writable|is readable|works$' "nothing of the machine can be changed or read"
like "$seen" '^dev .*full .*null .*random .*tty .*urandom .*zero' "the devices that programs expect"
unlike "$(sed -n 's/^dev //p' seen)" 'sd[a-z]|vd[a-z]|kmsg|mem' "and none of the machine's"

# What a step leaves in the layer: neither mounts nor their stubs.
thimble save --format oci-dir -o layout it
unlike "$(thimble cp it:/ - | tar -t | grep -E '^(\./)?(dev|proc|sys)/.')" . "no stub of a mount stays"
done_testing

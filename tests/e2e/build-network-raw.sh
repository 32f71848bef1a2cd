#!/bin/sh
# As root a step shares the machine's network, but not what could listen to it or forge it.
. "$(dirname "$0")/../lib/tap.sh"
need_root
cat >raw.c <<'C'
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
int main(void)
{
	int s[] = { socket(AF_PACKET, SOCK_RAW, 0), socket(AF_INET, SOCK_RAW, IPPROTO_ICMP),
		socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6), socket(AF_INET, SOCK_STREAM, 0),
		socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW) };
	printf("packet %s raw %s raw6 %s tcp %s cloexec %s\n", s[0] < 0 ? "no" : "YES",
	       s[1] < 0 ? "no" : "YES", s[2] < 0 ? "no" : "YES", s[3] < 0 ? "NO" : "yes",
	       s[4] < 0 ? "no" : "YES");
	return 0;
}
C
cc -static -o raw raw.c || exit 1
base_image
dockerfile <<'D'
FROM base
COPY raw /raw
RUN /raw >/seen
D
ok "builds" thimble build -q -t it .
want='packet no raw no raw6 no tcp yes cloexec no'
is "$(thimble run --rm it cat /seen)" "$want" "in RUN"
is "$(thimble run --rm it /raw)" "$want" "in run, with the host's network"
done_testing

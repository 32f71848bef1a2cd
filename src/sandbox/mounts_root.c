/* SPDX-License-Identifier: Apache-2.0 */
/* The root, from one process to the other: its mount, then those of its parts, whose names are the
 * text of the message. */
#include "sandbox/mounts_in.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/err.h"

enum { PARTS_MAX = 16, NAMES_MAX = 512 };

union rights {
	struct cmsghdr head;
	char space[CMSG_SPACE((PARTS_MAX + 1) * sizeof(int))];
};

int root_send(const struct root *r, int sock, struct err *e)
{
	_cleanup_(buf_done) struct buf names = { .max = NAMES_MAX };
	int fds[PARTS_MAX + 1] = { r->fd };
	size_t n = 1;
	if (r->parts.n > PARTS_MAX)
		return err_set(e, ERR_SYS, "the root has %zu parts", r->parts.n);
	buf_char(&names, '/');
	arr_each(p, &r->parts) {
		buf_add(&names, p->target, strlen(p->target) + 1);
		fds[n++] = p->fd;
	}
	if (buf_check(&names, "the names of the root's parts", e) < 0)
		return -1;
	union rights rights = { 0 };
	struct iovec text = { names.p, names.len };
	struct msghdr msg = { .msg_iov = &text,
			      .msg_iovlen = 1,
			      .msg_control = &rights,
			      .msg_controllen = CMSG_SPACE(n * sizeof *fds) };
	rights.head = (struct cmsghdr){ .cmsg_len = CMSG_LEN(n * sizeof *fds),
					.cmsg_level = SOL_SOCKET,
					.cmsg_type = SCM_RIGHTS };
	memcpy(CMSG_DATA(&rights.head), fds, n * sizeof *fds);
	/* who cannot receive it has ended, and its report says why */
	if (sendmsg(sock, &msg, MSG_NOSIGNAL) < 0 && errno != EPIPE && errno != ECONNRESET)
		return err_sys(e, "hand the root over");
	return 0;
}

int root_receive(int sock, struct root *out, struct err *e)
{
	char names[NAMES_MAX];
	union rights rights = { 0 };
	struct iovec text = { names, sizeof names };
	struct msghdr msg = { .msg_iov = &text,
			      .msg_iovlen = 1,
			      .msg_control = &rights,
			      .msg_controllen = sizeof rights };
	ssize_t got;
	do
		got = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return err_sys(e, "receive the root");
	if (got < 1 || msg.msg_controllen < sizeof rights.head ||
	    rights.head.cmsg_len < CMSG_LEN(sizeof(int)))
		return err_set(e, ERR_SYS, "the root did not come");
	size_t n = (rights.head.cmsg_len - CMSG_LEN(0)) / sizeof(int);
	int fds[PARTS_MAX + 1];
	memcpy(fds, CMSG_DATA(&rights.head), n * sizeof *fds);
	*out = (struct root)ROOT_INIT;
	out->fd = fds[0];
	struct slice rest = { names + 1, (size_t)got - 1 };
	for (size_t i = 1; i < n; i++) {
		struct slice name = slice_head(rest, slice_find(rest, 0));
		arr_push(&out->parts, (struct root_part){ slice_dup(name), fds[i] });
		rest = slice_from(rest, name.n + 1);
	}
	return 0;
}

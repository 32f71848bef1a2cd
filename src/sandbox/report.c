/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/report.h"

#include <errno.h>
#include <string.h>
#include <sys/uio.h>

#include "base/fs.h"

void report_send2(int fd, enum report_tag tag, const void *p, size_t n, const void *q, size_t m)
{
	char head[5] = { (char)tag };
	uint32_t len = (uint32_t)(n + m);
	memcpy(head + 1, &len, sizeof len);
	struct iovec v[3] = { { head, sizeof head },
			      { n ? (void *)p : head, n },
			      { m ? (void *)q : head, m } };
	size_t left = sizeof head + n + m;
	while (left > 0) {
		ssize_t r = writev(fd, v, 3);
		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return;
		left -= (size_t)r;
		for (int i = 0; i < 3; i++) {
			size_t step = (size_t)r < v[i].iov_len ? (size_t)r : v[i].iov_len;
			v[i].iov_base = (char *)v[i].iov_base + step;
			v[i].iov_len -= step;
			r -= (ssize_t)step;
		}
	}
}

void report_send(int fd, enum report_tag tag, const void *p, size_t n)
{
	report_send2(fd, tag, p, n, NULL, 0);
}

int report_read(int fd, enum report_tag *tag, struct buf *data)
{
	char head[5];
	uint32_t len;
	buf_clear(data);
	ssize_t n = fd_read(fd, head, sizeof head);
	if (n == 0)
		return 0;
	if (n == sizeof head)
		memcpy(&len, head + 1, sizeof len);
	if (n != sizeof head || len > REPORT_MAX) {
		errno = n < 0 ? errno : EBADMSG;
		return -1;
	}
	char *room = buf_room(data, len);
	n = room ? fd_read(fd, room, len) : -1;
	if (n != (ssize_t)len) {
		errno = EBADMSG;
		return -1;
	}
	data->len += len;
	data->p[data->len] = 0;
	*tag = (enum report_tag)head[0];
	return 1;
}

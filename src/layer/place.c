/* SPDX-License-Identifier: Apache-2.0 */
#include "layer/place.h"
#include "base/alloc.h"
#include "base/err.h"
#include "base/fs.h"
#include <fcntl.h>

int place_at(struct place *p, const char *key, const char **name, struct err *e)
{
	const char *slash = strrchr(key, '/');
	*name = slash ? slash + 1 : *key ? key : ".";
	if (!slash)
		return p->rootfd;
	size_t n = (size_t)(slash - key);
	if (p->fd >= 0 && strncmp(p->dir, key, n) == 0 && p->dir[n] == '\0')
		return p->fd;
	_free_ char *dir = str_ndup(key, n);
	int fd = root_open(p->rootfd, dir, O_PATH | O_DIRECTORY, e);
	if (fd < 0)
		return -1;
	place_forget(p);
	p->fd = fd;
	p->dir = take_ptr(&dir);
	return fd;
}

void place_forget(struct place *p)
{
	if (p->fd >= 0)
		(void)close(p->fd);
	p->fd = -1;
	str_set(&p->dir, NULL);
}

void place_done(struct place *p)
{
	place_forget(p);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The stage, and the texts that are born on it. */
#include "sandbox/mounts_in.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fs.h"
#include "sandbox/overlay.h"

#define TEXT_MAX (1u << 20)

/* springboard.c, as a program */
static const unsigned char springboard[] = {
#include "sandbox/springboard.inc"
};

int stage_open(struct inside *in, struct err *e)
{
	uint64_t size = TEXT_MAX + sizeof springboard;
	for (size_t i = 0; i < in->m->spec->mounts_n; i++)
		size += in->m->spec->mounts[i].text_n + 4096;
	_free_ char *bytes = str_printf("%llu", (unsigned long long)size);
	const char *const options[][2] = { { "mode", "0755" }, { "size", bytes }, { NULL, NULL } };
	in->stage = mount_new("tmpfs", CLEAN, options);
	if (in->stage < 0 || move_mount(in->stage, "", in->dev, "mqueue", MOVE_MOUNT_F_EMPTY_PATH) < 0 ||
	    mkdirat(in->stage, EMPTY, 0755) < 0)
		return err_sys(e, "make a tmpfs for small files");
	return 0;
}

int stage_text(struct inside *in, const struct sandbox_mount *sm, struct err *e)
{
	_free_ char *name = str_printf("t%u", in->staged++);
	_close_ int file = openat(in->stage, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
	if (file < 0)
		return err_sys(e, "make the file for '%s'", sm->target);
	if (fd_write_all(file, sm->text, sm->text_n, e) < 0)
		return err_add(e, "write the file for '%s'", sm->target);
	if (((sm->uid || sm->gid) && fchown(file, sm->uid, sm->gid) < 0) ||
	    fchmod(file, sm->mode & 07777) < 0)
		return err_sys(e, "set owner %u:%u and mode of '%s'", sm->uid, sm->gid, sm->target);
	_close_ int tree = open_tree(in->stage, name, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	struct mount_attr attr = { .attr_set = sm->read_only ? MOUNT_ATTR_RDONLY : 0,
				   .attr_clr = sm->exec_ok ? MOUNT_ATTR_NOEXEC : 0 };
	if (tree < 0 || ((sm->read_only || sm->exec_ok) &&
			 mount_setattr(tree, "", AT_EMPTY_PATH, &attr, sizeof attr) < 0))
		return err_sys(e, "set the options of '%s'", sm->target);
	return take_fd(&tree);
}

static int ready_text(struct inside *in, const char *target, const char *text, size_t n, struct err *e)
{
	struct sandbox_mount sm = { .kind = SANDBOX_TEXT,
				    .target = target,
				    .mode = 0644,
				    .text = text,
				    .text_n = n };
	int fd = stage_text(in, &sm, e);
	if (fd < 0)
		return -1;
	in->texts[in->texts_n++] = (struct ready){ target, fd };
	return 0;
}

int stage_springboard(struct inside *in, struct err *e)
{
	struct sandbox_mount sm = { .kind = SANDBOX_TEXT,
				    .target = "the springboard",
				    .mode = 0555,
				    .text = springboard,
				    .text_n = sizeof springboard,
				    .read_only = true,
				    .exec_ok = true };
	in->board = stage_text(in, &sm, e);
	return in->board < 0 ? -1 : 0;
}

static int ready_hosts(struct inside *in, struct err *e)
{
	const struct sandbox_spec *spec = in->m->spec;
	const char *name = spec->hostname ? spec->hostname : "";
	_free_ char *usual = str_printf("127.0.0.1\tlocalhost%s%s\n::1\tlocalhost ip6-localhost "
					"ip6-loopback\n",
					name[0] ? " " : "", name);
	const char *text = spec->hosts ? spec->hosts : usual;
	return ready_text(in, "/etc/hosts", text, strlen(text), e);
}

/* This machine's. */
static int ready_resolv(struct inside *in, struct err *e)
{
	static const char path[] = "/etc/resolv.conf";
	_cleanup_(buf_done) struct buf text = { .max = TEXT_MAX / 2 };
	if (fs_read_optional(AT_FDCWD, path, TEXT_MAX / 2, &text, e) < 0)
		return -1;
	return ready_text(in, path, text.p ? text.p : "", text.len, e);
}

int stage_usual_texts(struct inside *in, struct err *e)
{
	const struct sandbox_spec *spec = in->m->spec;
	if (ready_hosts(in, e) < 0 || (spec->resolv && ready_resolv(in, e) < 0))
		return -1;
	if (!spec->hostname_file || !spec->hostname)
		return 0;
	_free_ char *text = str_printf("%s\n", spec->hostname);
	return ready_text(in, "/etc/hostname", text, strlen(text), e);
}

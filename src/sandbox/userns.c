/* SPDX-License-Identifier: Apache-2.0 */
/* Entering costs a user two helpers, newuidmap and newgidmap, which must stand outside of the new
 * user namespace: they are forked before unshare, wait until a pipe is closed, and then run at the
 * same time (one after the other they take twice as long, kernel.md §1). */
#include "sandbox/userns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/fs.h"
#include "base/num.h"
#include "base/proc.h"
#include "sandbox/caps.h"

#define FILE_MAX  (4u << 20) /* of /etc/passwd and /etc/subuid */
#define RANGE_MIN 65536u

/* What this process is in; a mirror of the kernel's state, which cannot be asked as cheaply. */
static struct {
	bool entered, user;
	struct userns_ids ids; /* user: as they were outside */
} self;

bool userns_inside(void)
{
	return self.entered;
}

/* ---- looking around ---- */

/* A sysctl as a number; `missing` if there is none. Tests forge the directory. */
static long sysctl_get(const char *name, long missing)
{
	const char *dir = getenv("THIMBLE_TEST_PROCSYS");
	_free_ char *path = str_printf("%s/%s", dir ? dir : "/proc/sys", name);
	_cleanup_(buf_done) struct buf b = { .max = 64 };
	uint64_t v;
	if (fs_read(AT_FDCWD, path, 64, &b, NULL) < 0 ||
	    num_parse(slice_trim(buf_view(&b)), INT32_MAX, &v) < 0)
		return missing;
	return (long)v;
}

static bool in_chroot(void)
{
	struct stat here, init;
	return stat("/", &here) == 0 && stat("/proc/1/root/", &init) == 0 &&
	       (here.st_dev != init.st_dev || here.st_ino != init.st_ino);
}

static int user_name(uid_t uid, char **name, struct err *e)
{
	_cleanup_(buf_done) struct buf text = { .max = FILE_MAX };
	struct err ignored = { 0 }; /* a machine without the file may still know users by NSS */
	if (fs_read(AT_FDCWD, "/etc/passwd", FILE_MAX, &text, &ignored) == 0) {
		struct slice rest = buf_view(&text), line, field[3];
		while (slice_split(&rest, '\n', &line)) {
			size_t n = 0;
			while (n < 3 && slice_split(&line, ':', &field[n]))
				n++;
			uint64_t v;
			if (n == 3 && num_parse(field[2], UINT32_MAX, &v) == 0 && v == uid) {
				*name = slice_dup(field[0]);
				return 0;
			}
		}
	}
	err_done(&ignored);
	const struct passwd *pw = getpwuid(uid);
	if (!pw)
		return err_set(e, ERR_USER, "user id %u has no name in the user database",
			       (unsigned)uid);
	*name = str_dup(pw->pw_name);
	return 0;
}

/* The longest range of "name:start:count" lines for the user, by name or number (subuid(5)). */
static int find_range(const char *file, const char *name, uid_t uid, uint32_t *start,
		      uint32_t *count, struct err *e)
{
	_cleanup_(buf_done) struct buf text = { .max = FILE_MAX };
	_free_ char *number = str_printf("%u", (unsigned)uid);
	if (fs_read_optional(AT_FDCWD, file, FILE_MAX, &text, e) < 0)
		return -1;
	struct slice rest = buf_view(&text), line, field[3];
	uint64_t from, n, best = 0;
	while (slice_split(&rest, '\n', &line)) {
		line = slice_trim(line);
		size_t i = 0;
		while (i < 3 && slice_split(&line, ':', &field[i]))
			i++;
		if (i < 3 || (!slice_is(field[0], name) && !slice_is(field[0], number)) ||
		    num_parse(field[1], UINT32_MAX, &from) < 0 ||
		    num_parse(field[2], UINT32_MAX - from, &n) < 0 || n <= best)
			continue;
		best = n;
		*start = (uint32_t)from;
		*count = (uint32_t)n;
	}
	return best > 0 ? 0 : 1;
}

/* The first id that no line of the file uses, for the hint. */
static uint32_t free_start(const char *file)
{
	_cleanup_(buf_done) struct buf text = { .max = FILE_MAX };
	struct err ignored = { 0 }; /* only for a hint */
	if (fs_read(AT_FDCWD, file, FILE_MAX, &text, &ignored) < 0)
		err_done(&ignored);
	uint64_t next = 100000, from, n;
	struct slice rest = buf_view(&text), line, field[3];
	while (slice_split(&rest, '\n', &line)) {
		size_t i = 0;
		while (i < 3 && slice_split(&line, ':', &field[i]))
			i++;
		if (i == 3 && num_parse(field[1], UINT32_MAX, &from) == 0 &&
		    num_parse(slice_trim(field[2]), UINT32_MAX, &n) == 0 && from + n > next)
			next = from + n;
	}
	return next < UINT32_MAX - RANGE_MIN ? (uint32_t)next : 100000;
}

static int no_range(const char *file, const char *kind, const char *name, struct err *e)
{
	uint32_t start = free_start(file);
	err_set(e, ERR_USER, "the user '%s' has no subordinate %s ids in %s", name, kind, file);
	err_hint(e, "run as root: usermod --add-sub%ss %u-%u %s", kind[0] == 'u' ? "uid" : "gid",
		 start, start + RANGE_MIN - 1, name);
	return err_hint(e, "that writes the line %s:%u:%u into %s", name, start, RANGE_MIN, file);
}

int userns_find(struct userns_ids *out, struct err *e)
{
	const char *uids = getenv("THIMBLE_TEST_SUBUID"), *gids = getenv("THIMBLE_TEST_SUBGID");
	uids = uids ? uids : "/etc/subuid";
	gids = gids ? gids : "/etc/subgid";
	if (self.user) {
		*out = self.ids;
		return 0;
	}
	struct userns_ids ids = { .uid = getuid(), .gid = getgid() };
	_free_ char *name = NULL;
	if (user_name(ids.uid, &name, e) < 0)
		return -1;
	int r = find_range(uids, name, ids.uid, &ids.sub_uid, &ids.sub_uid_n, e);
	if (r)
		return r < 0 ? -1 : no_range(uids, "user", name, e);
	r = find_range(gids, name, ids.uid, &ids.sub_gid, &ids.sub_gid_n, e);
	if (r)
		return r < 0 ? -1 : no_range(gids, "group", name, e);
	*out = ids;
	return 0;
}

/* ---- entering ---- */

static int make_private(struct err *e)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return err_sys(e, "make the mounts of this process private");
	return 0;
}

static int enter_root(struct err *e)
{
	if (!caps_have(CAP_SYS_ADMIN)) {
		err_set(e, ERR_DENIED,
			"this is root without CAP_SYS_ADMIN, as in an ordinary container");
		err_hint(e, "run it as an ordinary user with subordinate ids, where the container "
			    "allows user namespaces");
		return err_hint(e, "or give the container the capability: docker run "
				   "--cap-add SYS_ADMIN --security-opt seccomp=unconfined "
				   "--security-opt apparmor=unconfined …");
	}
	if (unshare(CLONE_NEWNS) < 0)
		return err_sys(e, "make a mount namespace");
	return make_private(e);
}

/* Why the kernel refused a user namespace, and what mends it. */
static int refused(int no, struct err *e)
{
	errno = no;
	err_sys(e, "make a user namespace");
	if (!e)
		return -1;
	if (no == ENOSPC || sysctl_get("user/max_user_namespaces", 1) == 0) {
		return err_hint(e,
				"all user namespaces that this machine allows are in use; run as "
				"root: sysctl user.max_user_namespaces=65536");
	}
	if (no != EPERM && no != EACCES)
		return -1;
	e->kind = ERR_DENIED;
	if (sysctl_get("kernel/apparmor_restrict_unprivileged_userns", 0) != 0) {
		err_hint(e, "AppArmor refuses user namespaces to programs that have no profile "
			    "(kernel.apparmor_restrict_unprivileged_userns=1). Give thimble one: "
			    "write the lines\n"
			    "abi <abi/4.0>,\n"
			    "include <tunables/global>\n"
			    "profile thimble /**/thimble flags=(unconfined) { userns, }\n"
			    "into /etc/apparmor.d/thimble, then run as root: "
			    "apparmor_parser -r /etc/apparmor.d/thimble");
		return err_hint(e, "or allow them to all programs; run as root: "
				   "sysctl kernel.apparmor_restrict_unprivileged_userns=0");
	}
	if (sysctl_get("kernel/unprivileged_userns_clone", 1) == 0)
		return err_hint(e, "this kernel keeps them for root; run as root: "
				   "sysctl kernel.unprivileged_userns_clone=1");
	if (in_chroot())
		return err_hint(e, "this process is in a chroot, where the kernel makes none; "
				   "start it outside, or as root");
	return err_hint(e, "this may be a container whose seccomp profile refuses them; start that "
			   "container with --security-opt seccomp=unconfined, or run as root");
}

struct mapper {
	pid_t pid;
	int out; /* its stderr */
};

/* A helper that waits for `go` to be closed, then becomes newuidmap or newgidmap. */
static int mapper_start(const char *program, const int go[2], uint32_t own, uint32_t sub,
			uint32_t sub_n, struct mapper *m, struct err *e)
{
	int fd[2];
	if (pipe2(fd, O_CLOEXEC) < 0)
		return err_sys(e, "make a pipe");
	_free_ char *pid = str_printf("%d", (int)getpid()), *id = str_printf("%u", own);
	_free_ char *from = str_printf("%u", sub), *count = str_printf("%u", sub_n);
	char *argv[] = { (char *)program, pid, "0", id, "1", "1", from, count, NULL };
	m->pid = proc_fork(e);
	if (m->pid < 0) {
		(void)close(fd[0]);
		(void)close(fd[1]);
		return -1;
	}
	if (m->pid == 0) {
		char c;
		(void)close(go[1]);
		if (dup2(fd[1], 1) < 0 || dup2(fd[1], 2) < 0)
			_exit(126);
		while (read(go[0], &c, 1) < 0 && errno == EINTR)
			;
		execvp(program, argv);
		_exit(errno == ENOENT ? 127 : 126);
	}
	(void)close(fd[1]);
	m->out = fd[0];
	return 0;
}

static int mapper_end(const char *program, struct mapper *m, struct err *e)
{
	_close_ int out = m->out;
	_cleanup_(buf_done) struct buf said = { .max = 4096 };
	char block[512];
	ssize_t n;
	while ((n = fd_read(out, block, sizeof block)) > 0)
		buf_add(&said, block, (size_t)n);
	int status = proc_wait(m->pid);
	if (status == 0)
		return 0;
	if (status == 127) {
		err_set(e, ERR_USER,
			"there is no program '%s', which gives a user namespace its ids", program);
		return err_hint(e, "run as root: apt-get install uidmap (elsewhere the package is "
				   "called shadow-utils or shadow)");
	}
	struct slice text = slice_trim(buf_view(&said));
	err_set(e, ERR_PROG, "%s failed with status %d%s%.*s", program, status, text.n ? ": " : "",
		SLF(text));
	if (e)
		e->sys_errno = status;
	return err_hint(e, "it must be setuid root or have the file capability cap_setuid "
			   "(cap_setgid); `apt-get install --reinstall uidmap` makes it so");
}

static int unshare_user(void)
{
	static const struct {
		const char *name;
		int no;
	} forged[] = { { "eacces", EACCES }, { "eperm", EPERM }, { "enospc", ENOSPC } };
	const char *test = getenv("THIMBLE_TEST_USERNS");
	for (size_t i = 0; test && i < COUNT_OF(forged); i++)
		if (strcmp(test, forged[i].name) == 0) {
			errno = forged[i].no;
			return -1;
		}
	return unshare(CLONE_NEWUSER | CLONE_NEWNS);
}

static int enter_user(struct err *e)
{
	struct userns_ids ids;
	if (userns_find(&ids, e) < 0)
		return -1;
	int go[2];
	if (pipe2(go, O_CLOEXEC) < 0)
		return err_sys(e, "make a pipe");
	struct mapper u = { -1, -1 }, g = { -1, -1 };
	int r = mapper_start("newuidmap", go, ids.uid, ids.sub_uid, ids.sub_uid_n, &u, e);
	if (r == 0)
		r = mapper_start("newgidmap", go, ids.gid, ids.sub_gid, ids.sub_gid_n, &g, e);
	(void)close(go[0]);
	if (r == 0 && unshare_user() < 0)
		r = refused(errno, e);
	if (r < 0) {
		/* still waiting for `go`: nothing was mapped, and nothing shall be */
		for (int i = 0; i < 2; i++) {
			struct mapper *m = i ? &g : &u;
			if (m->pid <= 0)
				continue;
			(void)kill(m->pid, SIGKILL);
			(void)proc_wait(m->pid);
			(void)close(m->out);
		}
		(void)close(go[1]);
		return -1;
	}
	(void)close(go[1]);
	r = mapper_end("newuidmap", &u, e);
	if (mapper_end("newgidmap", &g, r < 0 ? NULL : e) < 0 || r < 0)
		return -1;
	/* AppArmor of Ubuntu 24.04 lets the namespace be made, and then takes its capabilities. */
	if (make_private(e) < 0) {
		int no = e ? e->sys_errno : EPERM;
		return no == EACCES || no == EPERM ? refused(no, e) : -1;
	}
	self.user = true;
	self.ids = ids;
	return 0;
}

int userns_enter(struct err *e)
{
	if (self.entered)
		return 0;
	int r = geteuid() == 0 ? enter_root(e) : enter_user(e);
	if (r < 0)
		return err_add(e, "cannot get the right to mount and to change owners");
	self.entered = true;
	return 0;
}

void userns_describe(struct buf *out)
{
	if (geteuid() == 0 && !self.user) {
		if (caps_have(CAP_SYS_ADMIN))
			buf_str(out, "root: a private mount namespace, overlay mounts\n");
		else
			buf_str(out, "root without CAP_SYS_ADMIN: programs cannot be run here\n");
		return;
	}
	struct userns_ids ids;
	_cleanup_(err_done) struct err why = { 0 };
	if (userns_find(&ids, &why) < 0) {
		buf_str(out, "user: programs cannot be run here: ");
		err_line(&why, out);
		buf_char(out, '\n');
		return;
	}
	buf_printf(out, "user %u: a user namespace with ids 0 = %u, 1 to %u = %u to %u\n", ids.uid,
		   ids.uid, ids.sub_uid_n, ids.sub_uid, ids.sub_uid + ids.sub_uid_n - 1);
	buf_printf(out, "groups 0 = %u, 1 to %u = %u to %u\n", ids.gid, ids.sub_gid_n, ids.sub_gid,
		   ids.sub_gid + ids.sub_gid_n - 1);
	if (!proc_has("newuidmap") || !proc_has("newgidmap"))
		buf_str(out, "newuidmap or newgidmap is missing: install the package uidmap\n");
	if (sysctl_get("kernel/apparmor_restrict_unprivileged_userns", 0) != 0)
		buf_str(out, "AppArmor refuses user namespaces to programs without a profile "
			     "(kernel.apparmor_restrict_unprivileged_userns=1)\n");
	if (sysctl_get("kernel/unprivileged_userns_clone", 1) == 0)
		buf_str(out, "this kernel keeps user namespaces for root "
			     "(kernel.unprivileged_userns_clone=0)\n");
}

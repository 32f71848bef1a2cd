/* SPDX-License-Identifier: Apache-2.0 */
/* sandbox/sandbox.h: run this command in this root with these mounts and this identity, and tell
 * what changed. How it is done depends on what the kernel grants; no caller may assume an overlay
 * mount. Docker's defaults for isolation (design.md §6). The caller has entered (userns.h).
 *
 *	struct sandbox_spec spec = { .root = …, .argv = …, … };
 *	struct sandbox box = SANDBOX_INIT;
 *	if (sandbox_start(&spec, &box, e) < 0) return -1;
 *	… poll box.pidfd, read pipes …
 *	sandbox_wait(&box, &end, e);
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "base/array.h"
#include "base/attr.h"
#include "sandbox/identity.h"

struct err;

struct sandbox_rlimit {
	int resource;           /* RLIMIT_NOFILE … */
	uint64_t soft, hard;    /* UINT64_MAX: no limit */
};
struct rlimit_set {
	const struct sandbox_rlimit *p;
	size_t n;
};

/* The root: layers (directories) beneath one directory that takes the changes. Paths are relative
 * to dirfd and short ("snapshots/ab12/tree"): mount(2) has one page for all of them. */
struct sandbox_root {
	int dirfd;
	const char *const *lowers;  /* lowest first; one that occurs twice is mounted once, topmost */
	size_t lowers_n;            /* 0 is fine (scratch) */
	const char *upper;          /* takes the changes, in overlay's form; NULL: changes are dropped at the
				       end (kept on a tmpfs); work and stubs are not used then */
	const char *work;           /* directory on the same file system (made if missing); removed by sandbox_wait */
	bool keep_work;             /* … or not: the caller does it */
	const char *stubs;          /* directory on the same file system where the mount points that every
				       run has are kept from run to run (made if missing); NULL: made anew
				       below work each time, which costs 0.2 ms. One directory for each
				       combination of spec.resolv and spec.hostname_file */
	const char *const *host_dirs; /* top directories of this machine ("usr", "bin", "lib64" …) that lie
				       beneath all layers: rootfs:/ (design.md §6.4) */
	size_t host_dirs_n;
	bool read_only;             /* the program sees a read-only root */
	bool is_user;               /* overlay marks are user.overlay.* */
};

enum sandbox_mount_kind {
	SANDBOX_BIND,   /* source: a file or directory of this machine */
	SANDBOX_TMPFS,
	SANDBOX_TEXT,   /* a small read-only (or not) file with these bytes: hosts, secrets */
};
struct sandbox_mount {
	enum sandbox_mount_kind kind;
	int source_fd;          /* BIND: O_PATH descriptor, borrowed; with all that is mounted below it */
	const char *target;     /* absolute in the root; links in it stay inside; made if missing */
	bool read_only;
	bool noexec;            /* BIND: no programs from it. TMPFS and TEXT are so anyway */
	bool exec_ok;           /* TMPFS and TEXT: programs may be run from it */
	uint64_t size;          /* TMPFS: bytes, 0: no limit */
	uint32_t mode, uid, gid;/* TMPFS and TEXT */
	const void *text;       /* TEXT */
	size_t text_n;
	bool scratch;           /* BIND of a directory: writes are allowed and dropped (bind,rw) */
};

enum sandbox_network {
	SANDBOX_NET_HOST,
	SANDBOX_NET_NONE,       /* own namespace with only lo, up */
};

struct sandbox_spec {
	struct sandbox_root root;
	const struct sandbox_mount *mounts;   /* later ones may lie in earlier ones */
	size_t mounts_n;
	char *const *argv;      /* argv[0] is looked up in PATH of envp, inside the root */
	char *const *envp;
	const char *cwd;        /* made if missing when make_cwd: the image's root's, or the user's */
	bool make_cwd, cwd_for_who;
	struct identity who;    /* borrowed */
	bool insecure;          /* all capabilities, no seccomp, nothing masked (--security=insecure) */
	enum sandbox_network network;
	const char *hostname;
	const char *hosts;      /* text of /etc/hosts, or NULL: localhost and the hostname */
	bool resolv;            /* a copy of this machine's /etc/resolv.conf */
	bool hostname_file;     /* /etc/hostname too; in builds it is the image's own file */
	uint64_t shm_size;      /* 0: 64 MiB */
	bool init;              /* pid 1 is a small init that reaps and forwards; false: it is the program */
	int stdio[3];           /* descriptors for 0, 1, 2; -1: /dev/null. Ignored with tty */
	bool tty;               /* a pty of its own; the master is told in box.pty */
	const struct rlimit_set *rlimits; /* or NULL: inherited, core 0 */
};

struct sandbox {
	pid_t pid;
	int pidfd;      /* readable when it has ended */
	int pty;        /* master, -1 without tty; after sandbox_wait the caller's to close */
	struct sandbox_state *state; /* internal */
};
#define SANDBOX_INIT { 0, -1, -1, NULL }

enum sandbox_end_kind { SANDBOX_EXITED, SANDBOX_SIGNALED, SANDBOX_NOT_EXECUTED };
struct sandbox_end {
	enum sandbox_end_kind kind;
	int status;      /* exit status, signal number, or errno of execve (or of chdir with what=cwd) */
	bool cwd_failed; /* NOT_EXECUTED because the working directory could not be entered */
	char *program;   /* NOT_EXECUTED: path that was tried (first PATH match, or argv[0]); caller frees */
	struct strs stubs; /* mount points that had to be made in the upper directory; to be taken out of a layer */
};

/* -1: it could not be set up (ERR_SYS/ERR_DENIED with the step that failed); nothing is left. */
int sandbox_start(const struct sandbox_spec *spec, struct sandbox *box, struct err *e) _must_check_;
/* Waits, ends all that is left in it, cleans up work (and the volatile mark of overlay). */
int sandbox_wait(struct sandbox *box, struct sandbox_end *out, struct err *e) _must_check_;
int sandbox_signal(struct sandbox *box, int sig);  /* to the program, through its init */
void sandbox_kill(struct sandbox *box);            /* SIGKILL to all, then as sandbox_wait; fine on SANDBOX_INIT */
void sandbox_end_done(struct sandbox_end *end);
/* Exit status as docker has it: program's own, 128+signal, 127 (ENOENT), 126 (others not executed).
 * A working directory that cannot be entered counts as 126 (127 if it is not there). */
int sandbox_status(const struct sandbox_end *end);

/* Docker's default set: 0xa80425fb. */
#define SANDBOX_CAPS 0xa80425fbull

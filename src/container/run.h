/* SPDX-License-Identifier: Apache-2.0 */
/* container/run.h: `thimble run`: what stands around a running program. Its root (a directory
 * below containers/ takes the changes and is removed at the end), its environment, user, mounts
 * and terminal, and the signals that are passed on. Prints nothing: the program's bytes go to the
 * descriptors of the caller.
 *
 *	struct run_opts o = { .stdio = { 0, 1, 2 }, .args = … };
 *	struct run_result res = { 0 };
 *	if (container_run(&o, store, &image, &res, e) < 0) return 125;   // it never started
 *	… res.end tells how it ended; return res.status;
 *	run_result_done(&res);
 */
#pragma once
#include "base/array.h"
#include "base/attr.h"
#include "sandbox/sandbox.h"
#include "store/image.h"

struct run_opts {
	const char *const *args; /* what stands after IMAGE: replaces CMD */
	size_t args_n;
	bool interactive;        /* -i: the caller's stdin reaches the program; else it is empty */
	bool tty;                /* -t: a terminal of its own; stdio[0], if a terminal, goes raw meanwhile */
	struct strs env;         /* -e, in order: "K=V", or "K": taken from the caller's environment */
	struct strs env_files;   /* --env-file, read before env */
	const char *workdir;     /* -w, or NULL */
	const char *user;        /* -u, or NULL */
	struct strs volumes;     /* -v: "SRC:DST[:ro|rw|nocopy]", SRC a path or a volume's name; or "DST" */
	struct strs tmpfs;       /* --tmpfs: "DST[:size=…,mode=…,ro,rw,exec,noexec,nosuid,nodev]" */
	const char *entrypoint;  /* --entrypoint; NULL: the image's; "": none */
	const char *network;     /* NULL or "host", or "none" */
	bool read_only;
	const char *name;        /* --name, or NULL */
	const char *hostname;    /* --hostname; NULL: this machine's with its network, else the id */
	uint64_t shm_size;       /* 0: 64 MiB */
	int stdio[3];            /* borrowed: where the program's 0, 1, 2 lead */
};

struct run_result {
	int status;              /* as docker run: the program's, 128+signal, 126, 127 */
	struct sandbox_end end;  /* for explanations: NOT_EXECUTED has errno and the path */
	struct strs argv;        /* the command as it was put together */
	struct identity who;
	char *cwd;
};
void run_result_done(struct run_result *r);

/* Runs the image in the foreground until its program ends. Enters the user namespace (userns.h).
 * While it runs SIGTERM INT HUP QUIT USR1 USR2 and WINCH of this process go to the program; their
 * former handlers and the terminal's modes are restored on every way out.
 * -1: it could not be started (docker's 125): *e. 0: *res. */
int container_run(const struct run_opts *o, struct store *s, const struct image *im,
		  struct run_result *res, struct err *e) _must_check_;

/* ---- for compare, explain: run captured ---- */
#define PROBE_TAIL 65536 /* bytes kept of each stream, the last ones */

struct probe_result {
	bool running;            /* it was still running when its time was over (and was killed then) */
	int status;              /* as run_result.status; with running 0 */
	struct sandbox_end end;
	struct buf out, err;     /* the last PROBE_TAIL bytes of stdout and stderr */
	uint64_t out_bytes, err_bytes; /* how many there were */
	int64_t ns;              /* wall time */
	struct strs argv;
	char *cwd;
};
void probe_result_done(struct probe_result *r);

/* Runs the image's own command with no input, in a network namespace of its own with lo up, at
 * most limit_ns nanoseconds. What it writes is dropped. -1: could not be started. */
int container_probe(struct store *s, const struct image *im, int64_t limit_ns,
		    struct probe_result *res, struct err *e) _must_check_;

/* Removes what dead runs left below containers/. Cheap when there is nothing. */
int container_sweep(struct store *s, struct err *e) _must_check_;

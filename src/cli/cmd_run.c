/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/num.h"
#include "cli/obtain.h"
#include "container/run.h"
#include "explain/explain.h"

struct run_args {
	struct registry_args reg;
	bool rm, interactive, tty, read_only, init;
	struct strs env, env_files, volumes, tmpfs;
	const char *workdir, *user, *entrypoint, *network, *name, *hostname, *shm_size, *pull,
		*platform;
};
static const struct run_args defaults = { .rm = true, .init = true };

#define STAYS \
	"every run behaves as with --rm, in the foreground, until containers that stay come in a later version"
#define NET \
	"networks and published ports come in a later version; --network host and none are there"
#define LIMITS "limits of resources come in a later version"
#define RIGHTS "other rights than docker's default ones come in a later version"

static const struct opt opts[] = {
	OPT_STR(0, "entrypoint", struct run_args, entrypoint, "PROGRAM",
		"run this instead of the image's ENTRYPOINT"),
	OPT_LIST('e', "env", struct run_args, env, "K[=V]",
		 "set a variable; without =V as it is here"),
	OPT_LIST(0, "env-file", struct run_args, env_files, "FILE",
		 "set the variables in this file"),
	OPT_STR(0, "hostname", struct run_args, hostname, "NAME", "host name inside"),
	OPT_FLAG('i', "interactive", struct run_args, interactive, "pass standard input on"),
	OPT_STR(0, "name", struct run_args, name, "NAME", "name of the container"),
	OPT_CHOICE(0, "network", struct run_args, network, "host|none",
		   "this machine's network, or none (default host)"),
	OPT_STR(0, "platform", struct run_args, platform, "OS/ARCH",
		"if it is pulled: of images for several, take this one"),
	OPT_STR(0, "pull", struct run_args, pull, "WHEN",
		"pull the image: missing (default), always or never"),
	OPT_FLAG(0, "read-only", struct run_args, read_only,
		 "a root file system that cannot be written"),
	OPT_FLAG(0, "rm", struct run_args, rm, "remove the container at its end (always done)"),
	OPT_STR(0, "shm-size", struct run_args, shm_size, "BYTES",
		"size of /dev/shm (default 64m)"),
	OPT_LIST(0, "tmpfs", struct run_args, tmpfs, "PATH[:OPTIONS]",
		 "an empty file system in memory"),
	OPT_FLAG('t', "tty", struct run_args, tty, "give it a terminal"),
	OPT_STR('u', "user", struct run_args, user, "USER[:GROUP]",
		"run as this user, by name or number"),
	OPT_LIST('v', "volume", struct run_args, volumes, "SOURCE:PATH[:ro]",
		 "a path of this machine, or a named volume, at PATH"),
	OPT_STR('w', "workdir", struct run_args, workdir, "PATH", "working directory"),
	REGISTRY_OPTS(struct run_args, reg),
	{ 0, "net", OPT_KIND_CHOICE, OPT_AT_(struct run_args, network, const char *), "host|none",
	  "", NULL, true },
	OPT_FLAG_HIDDEN(0, "init", struct run_args, init), /* there always is one */
	OPT_LATER('d', "detach", NULL, STAYS),
	OPT_LATER('a', "attach", "STREAM", STAYS),
	OPT_LATER(0, "restart", "POLICY", STAYS),
	OPT_LATER(0, "cidfile", "FILE", STAYS),
	OPT_LATER(0, "sig-proxy", NULL, STAYS),
	OPT_LATER('l', "label", "K=V", STAYS),
	OPT_LATER(0, "health-cmd", "COMMAND", STAYS),
	OPT_LATER(0, "stop-signal", "SIGNAL", STAYS),
	OPT_LATER(0, "volumes-from", "CONTAINER", STAYS),
	OPT_LATER(0, "link", "CONTAINER", STAYS),
	OPT_LATER('p', "publish", "PORTS", NET),
	OPT_LATER('P', "publish-all", NULL, NET),
	OPT_LATER(0, "expose", "PORT", NET),
	OPT_LATER(0, "add-host", "HOST:IP", NET),
	OPT_LATER(0, "dns", "IP", NET),
	OPT_LATER(0, "ip", "IP", NET),
	OPT_LATER('m', "memory", "BYTES", LIMITS),
	OPT_LATER(0, "cpus", "N", LIMITS),
	OPT_LATER(0, "cpuset-cpus", "LIST", LIMITS),
	OPT_LATER(0, "pids-limit", "N", LIMITS),
	OPT_LATER(0, "ulimit", "LIMIT", LIMITS),
	OPT_LATER(0, "cap-add", "CAP", RIGHTS),
	OPT_LATER(0, "cap-drop", "CAP", RIGHTS),
	OPT_LATER(0, "privileged", NULL, RIGHTS),
	OPT_LATER(0, "security-opt", "OPTION", RIGHTS),
	OPT_LATER(0, "device", "PATH", RIGHTS),
	OPT_LATER(0, "gpus", "WHICH", RIGHTS),
	OPT_LATER(0, "group-add", "GROUP", RIGHTS),
	OPT_LATER(0, "userns", "MODE", RIGHTS),
	OPT_LATER(0, "pid", "MODE", RIGHTS),
	OPT_LATER(0, "ipc", "MODE", RIGHTS),
	OPT_LATER(0, "mount", "SPEC", "it comes in a later version; use -v or --tmpfs"),
	{ 0 },
};

/* The image's config with what the command line changed, since that decides what is found. */
static void config_of_run(const struct image *im, const struct run_args *a,
			  struct image_config *cfg)
{
	image_config_copy(cfg, &im->config);
	if (a->user)
		str_set(&cfg->user, str_dup(a->user));
	arr_each(env, &a->env) {
		const char *eq = strchr(*env, '=');
		if (eq)
			env_set(&cfg->env, (struct slice){ *env, (size_t)(eq - *env) },
				slice_of(eq + 1));
	}
}

/* Why it did not start: 1 and *why, 0 if there is nothing to say. */
static int explain(struct store *s, const struct image *im, const struct run_args *a,
		   const struct run_result *res, struct err *why)
{
	struct image_fs fs = { 0 };
	struct image_config cfg = { 0 };
	struct explanation x = { 0 };
	_cleanup_(err_done) struct err e = { 0 };
	bool executed = res->end.kind != SANDBOX_NOT_EXECUTED;
	/* The loader of a dynamic program ends with these when a library is missing or too old. */
	if (executed &&
	    (res->end.kind != SANDBOX_EXITED || (res->status != 127 && res->status != 1)))
		return 0;
	int r = image_fs_open(s, im->snaps.p, im->snaps.n, &fs, &e);
	if (r < 0)
		return 0; /* what the kernel said is told then */
	struct explain_fs look = explain_fs_image(&fs);
	config_of_run(im, a, &cfg);
	_free_ char **argv = strs_argv(&res->argv);
	if (executed)
		r = explain_program(&look, &cfg, argv, res->cwd, NULL, &x, &e);
	else
		r = explain_errno(&look, &cfg, argv, res->cwd, res->end.status, NULL, &x, &e);
	bool known = r > 0 &&
		     (executed ? x.cause == CAUSE_NO_LIBRARY || x.cause == CAUSE_OLD_LIBRARY
			       : !res->end.cwd_failed || x.cause == CAUSE_WORKDIR);
	if (known)
		(void)explanation_to_err(&x, why);
	explanation_done(&x);
	image_config_done(&cfg);
	image_fs_close(&fs);
	return known;
}

static void tell_failure(struct cli *c, struct store *s, const struct image *im,
			 const struct run_args *a, const struct run_result *res)
{
	struct err why = { 0 };
	if (!explain(s, im, a, res, &why)) {
		if (res->end.kind != SANDBOX_NOT_EXECUTED)
			return;
		const char *program = res->end.program ? res->end.program
				      : res->argv.n    ? res->argv.p[0]
						       : "";
		err_set(&why, ERR_PROG, "%s", strerror(res->end.status));
		if (res->end.cwd_failed) {
			err_add(&why, "cannot enter the working directory '%s'", res->cwd);
			(void)err_hint(&why,
				       "name another one with -w, or look at what volumes hide");
		} else {
			err_add(&why, "cannot execute '%s'", program);
		}
	}
	cli_error(c, &why);
}

static int read_opts(struct cli *c, const struct run_args *a, struct run_opts *o, struct err *e)
{
	*o = (struct run_opts){
		.interactive = a->interactive,
		.tty = a->tty,
		.env = a->env,
		.env_files = a->env_files,
		.workdir = a->workdir,
		.user = a->user,
		.volumes = a->volumes,
		.tmpfs = a->tmpfs,
		.entrypoint = a->entrypoint,
		.network = a->network,
		.read_only = a->read_only,
		.name = a->name,
		.hostname = a->hostname,
		.stdio = { STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO },
	};
	if (!a->rm)
		return err_set(e, ERR_USER, "flag --rm=false: " STAYS);
	if (!a->init)
		return err_set(e, ERR_USER, "flag --init=false: there always is an init");
	if (a->shm_size && num_parse_size(slice_of(a->shm_size), &o->shm_size) < 0)
		return cli_wrong(c, e, "--shm-size wants a size like 64m, not '%s'", a->shm_size);
	return 0;
}

/* What a user's eyes want is the program: a pull is shown, what is there is not spoken of. */
static int obtain(struct cli *c, const struct run_args *a, struct store *s, const char *name,
		  struct err *e)
{
	_cleanup_(creds_done) struct creds creds = { 0 };
	_cleanup_(platform_done) struct platform platform = { 0 };
	struct registry_opts ro;
	enum pull_when when;
	if (pull_when(c, a->pull, &when, e) < 0 ||
	    registry_args_opts(c, &a->reg, &ro, &creds, e) < 0 ||
	    (a->platform && platform_parse(slice_of(a->platform), &platform, e) < 0))
		return -1;
	const struct obtain o = { c, &ro, a->platform ? &platform : NULL, progress_mode(NULL) };
	return obtain_image(&o, s, name, when, e);
}

static int run(struct cli *c, const void *args, const struct words *words, struct err *e)
{
	const struct run_args *a = args;
	const char *name = words->p[0];
	struct run_opts o;
	struct run_result res = { 0 };
	_cleanup_(image_done) struct image im = { 0 };
	if (read_opts(c, a, &o, e) < 0 || cli_no_scratch(name, "run", e) < 0)
		return -1;
	o.args = (const char *const *)words->p + 1;
	o.args_n = words->n - 1;
	struct store *s = cli_store_trees(c, true, e);
	if (!s || obtain(c, a, s, name, e) < 0 || image_open(s, name, &im, e) < 0 ||
	    container_run(&o, s, &im, &res, e) < 0)
		return err_add(e, "cannot run '%s'", name);
	tell_failure(c, s, &im, a, &res);
	int status = res.status;
	run_result_done(&res);
	return status;
}

const struct cmd cmd_run = {
	"run",
	"[OPTIONS] IMAGE [ARG...]",
	"run an image in the foreground",
	opts,
	sizeof(struct run_args),
	run,
	.min = 1,
	.max = ARGS_ANY,
	.defaults = &defaults,
	.stop = true,
	.failed = 125,
	.group = GROUP_BUILD,
	.details =
		"Everything after IMAGE belongs to the program. What it writes is dropped at its end, but for\n"
		"volumes. The exit status is the program's; 125: it could not be started; 126: not executable;\n"
		"127: not found; 128 and the number of the signal that killed it.\n",
	.examples = "  thimble run hello:gcc\n"
		    "  thimble run -it debian sh\n"
		    "  thimble run -v \"$PWD:/src\" -w /src gcc make\n",
};

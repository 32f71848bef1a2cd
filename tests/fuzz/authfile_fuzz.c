/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a config.json (through base64, too): refused with ERR_DATA, nobody, or somebody; then
 * written, and the same one is found again. Helpers would be run, so PATH leads nowhere. */
#include <assert.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/fs.h"
#include "registry/authfile.h"
#include "registry/secret.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char path[64];

static void remove_file(void)
{
	char dir[64];
	(void)unlink(path);
	(void)snprintf(dir, sizeof dir, "%.*s", (int)(strrchr(path, '/') - path), path);
	(void)rmdir(dir);
}

static void prepare(void)
{
	if (path[0])
		return;
	char dir[] = "/dev/shm/authfile-fuzz-XXXXXX";
	assert(mkdtemp(dir));
	(void)snprintf(path, sizeof path, "%s/auth.json", dir);
	(void)setenv("PATH", "/nowhere", 1);
	(void)unsetenv("HOME");
	(void)atexit(remove_file);
}

static void check_base64(struct slice text)
{
	size_t n;
	char *bytes = base64_get(text, &n);
	if (!bytes)
		return;
	_cleanup_(buf_done) struct buf b = { 0 };
	size_t again_n;
	base64_put((struct slice){ bytes, n }, &b);
	_free_ char *again = base64_get(buf_view(&b), &again_n);
	assert(again && again_n == n && memcmp(again, bytes, n) == 0);
	free(bytes);
}

static void check_put(const struct authfile_opts *o)
{
	_cleanup_(creds_done) struct creds c = { 0 };
	_free_ char *where = NULL, *gone = NULL;
	bool plain;
	struct creds a = { .user = (char *)"a", .password = (char *)"b" };
	if (authfile_put(o, "new.example", &a, &where, &plain, NULL) < 0)
		return; /* names a helper */
	assert(plain && authfile_get(o, "new.example", NULL, &c, NULL) == 1);
	assert(strcmp(c.user, "a") == 0 && strcmp(c.password, "b") == 0);
	assert(authfile_del(o, "new.example", &gone, NULL) == 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const hosts[] = { "docker.io", "quay.io", "x" };
	struct slice text = { (const char *)data, size };
	struct authfile_opts o = { .path = path };
	prepare();
	check_base64(text);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert(fd >= 0 && fd_write_all(fd, data, size, NULL) == 0 && close(fd) == 0);
	for (size_t i = 0; i < COUNT_OF(hosts); i++) {
		_cleanup_(creds_done) struct creds c = { 0 };
		_cleanup_(err_done) struct err e = { 0 };
		int r = authfile_get(&o, hosts[i], "a/b", &c, &e);
		assert(r >= 0 || (e.n > 0 && !c.user && !c.password && !c.token));
		assert(r <= 0 || (c.from && (c.password || c.token)));
	}
	_cleanup_(strs_done) struct strs all = { 0 };
	(void)!authfile_hosts(&o, &all, NULL);
	check_put(&o);
	return 0;
}

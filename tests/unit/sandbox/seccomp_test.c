/* SPDX-License-Identifier: Apache-2.0 */
/* The judge is libseccomp: it makes a filter from seccomp.json as runc would, both programs are
 * interpreted for every call number, and the answers must be the same but for the list of where
 * Docker's default profile differs from that file. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "base/array.h"
#include "base/attr.h"
#include "sandbox/sandbox.h"
#include "sandbox/seccomp.h"

#define PROFILE "/usr/share/containers/seccomp.json"
#define NR_END  1024

/* ---- classic BPF, as far as seccomp filters have it ---- */

static uint32_t interpret(const struct sock_filter *p, size_t n, const struct seccomp_data *d)
{
	uint32_t a = 0, x = 0, mem[BPF_MEMWORDS] = { 0 };
	for (size_t pc = 0; pc < n; pc++) {
		const struct sock_filter *i = &p[pc];
		uint32_t v = BPF_SRC(i->code) == BPF_X ? x : i->k;
		switch (BPF_CLASS(i->code)) {
		case BPF_LD:
			if (BPF_MODE(i->code) == BPF_ABS)
				memcpy(&a, (const char *)d + i->k, sizeof a);
			else if (BPF_MODE(i->code) == BPF_MEM)
				a = mem[i->k];
			else
				a = i->k;
			break;
		case BPF_LDX: x = BPF_MODE(i->code) == BPF_MEM ? mem[i->k] : i->k; break;
		case BPF_ST: mem[i->k] = a; break;
		case BPF_STX: mem[i->k] = x; break;
		case BPF_ALU:
			assert_int_equal(BPF_OP(i->code), BPF_AND);
			a &= v;
			break;
		case BPF_JMP: {
			bool yes;
			switch (BPF_OP(i->code)) {
			case BPF_JA: pc += i->k; continue;
			case BPF_JEQ: yes = a == v; break;
			case BPF_JGT: yes = a > v; break;
			case BPF_JGE: yes = a >= v; break;
			case BPF_JSET: yes = a & v; break;
			default: fail_msg("jump %x", i->code); return 0;
			}
			pc += yes ? i->jt : i->jf;
			break;
		}
		case BPF_RET: return i->k;
		case BPF_MISC:
			if (i->code == (BPF_MISC | BPF_TAX))
				x = a;
			else
				a = x;
			break;
		}
	}
	fail_msg("the filter runs past its end");
	return 0;
}

/* ---- the judge's filter ---- */

struct filter {
	struct sock_filter *p;
	size_t n;
};

static bool has_cap(const char *name)
{
	static const struct {
		const char *name;
		int bit;
	} caps[] = { { "CAP_SYS_CHROOT", 18 }, { "CAP_AUDIT_WRITE", 29 },
		     { "CAP_SYS_ADMIN", 21 },  { "CAP_DAC_READ_SEARCH", 2 },
		     { "CAP_SYS_MODULE", 16 }, { "CAP_SYS_PACCT", 20 },
		     { "CAP_SYS_PTRACE", 19 }, { "CAP_SYS_RAWIO", 17 },
		     { "CAP_SYS_TIME", 25 },   { "CAP_SYS_TTY_CONFIG", 26 } };
	for (size_t i = 0; i < COUNT_OF(caps); i++)
		if (strcmp(name, caps[i].name) == 0)
			return SANDBOX_CAPS >> caps[i].bit & 1;
	fail_msg("the profile names %s, which this test does not know", name);
	return false;
}

static bool any(json_t *list, bool (*is)(const char *))
{
	size_t i;
	json_t *v;
	json_array_foreach(list, i, v) if (is(json_string_value(v))) return true;
	return false;
}

static bool is_ours(const char *arch)
{
	return strcmp(arch, "amd64") == 0 || strcmp(arch, "x86") == 0;
}

static bool applies(json_t *rule)
{
	json_t *in = json_object_get(rule, "includes"), *out = json_object_get(rule, "excludes");
	json_t *caps = json_object_get(in, "caps"), *arches = json_object_get(in, "arches");
	if (json_array_size(caps) && !any(caps, has_cap))
		return false;
	if (json_array_size(arches) && !any(arches, is_ours))
		return false;
	return !any(json_object_get(out, "caps"), has_cap) &&
	       !any(json_object_get(out, "arches"), is_ours);
}

static uint64_t number(json_t *o, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(o, key));
}

static void add_rule(scmp_filter_ctx ctx, json_t *rule)
{
	struct scmp_arg_cmp cmp[6] = { 0 };
	size_t i, n = 0;
	json_t *v;
	bool allow = strcmp(json_string_value(json_object_get(rule, "action")), "SCMP_ACT_ALLOW") ==
		     0;
	uint32_t action = allow ? SCMP_ACT_ALLOW
				: SCMP_ACT_ERRNO((unsigned)number(rule, "errnoRet"));
	json_array_foreach(json_object_get(rule, "args"), i, v)
	{
		const char *op = json_string_value(json_object_get(v, "op"));
		cmp[n++] = (struct scmp_arg_cmp){ .arg = (unsigned)number(v, "index"),
						  .op = strcmp(op, "SCMP_CMP_EQ") == 0
								? SCMP_CMP_EQ
								: SCMP_CMP_NE,
						  .datum_a = number(v, "value"),
						  .datum_b = number(v, "valueTwo") };
	}
	json_array_foreach(json_object_get(rule, "names"), i, v)
	{
		int nr = seccomp_syscall_resolve_name(json_string_value(v));
		if (nr == __NR_SCMP_ERROR)
			continue;
		int r = seccomp_rule_add_array(ctx, action, nr, (unsigned)n, cmp);
		if (r < 0 && r != -EEXIST && r != -EINVAL && r != -EDOM)
			fail_msg("libseccomp: %s: %s", json_string_value(v), strerror(-r));
	}
}

static struct filter judge_filter(void)
{
	json_t *profile = json_load_file(PROFILE, 0, NULL), *rule;
	if (!profile) {
		print_message("%s is not there: install golang-github-containers-common\n",
			      PROFILE);
		skip();
	}
	scmp_filter_ctx ctx =
		seccomp_init(SCMP_ACT_ERRNO((unsigned)number(profile, "defaultErrnoRet")));
	assert_non_null(ctx);
	assert_int_equal(seccomp_arch_add(ctx, SCMP_ARCH_X86), 0);
	size_t i;
	json_array_foreach(json_object_get(profile, "syscalls"), i, rule) if (applies(rule))
		add_rule(ctx, rule);
	int fd = memfd_create("bpf", MFD_CLOEXEC);
	assert_int_equal(seccomp_export_bpf(ctx, fd), 0);
	struct filter f = { .p = mem_alloc(1 << 20) };
	ssize_t n = pread(fd, f.p, 1 << 20, 0);
	assert_true(n > 0);
	f.n = (size_t)n / sizeof *f.p;
	(void)close(fd);
	seccomp_release(ctx);
	json_decref(profile);
	return f;
}

/* ---- comparing ---- */

/* Where Docker's default profile is not containers-common's. */
static const char *const docker_refuses[] = {
	"clone3",      "fsconfig",   "fsmount", "fsopen",        "fspick",     "get_mempolicy",
	"keyctl",      "mbind",      "mount",   "mount_setattr", "move_mount", "open_tree",
	"pidfd_getfd", "pivot_root", "reboot",  "set_mempolicy", "syslog",     "umount",
	"umount2",     "unshare",    "setns",
};
static const char *const docker_allows[] = { "futex_waitv", "io_pgetevents", "io_pgetevents_time64",
					     "vmsplice" };
static const int later_allowed[] = { 451, 452, 453, 454, 455, 456, 462, 463, 464, 465, 466 };

static bool in_list(const char *name, const char *const *list, size_t n)
{
	for (size_t i = 0; name && i < n; i++)
		if (strcmp(name, list[i]) == 0)
			return true;
	return false;
}

static bool allowed(uint32_t answer)
{
	assert_true(answer == SECCOMP_RET_ALLOW ||
		    (answer & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO);
	return answer == SECCOMP_RET_ALLOW;
}

static void compare_arch(const struct filter *judge, const struct filter *ours, uint32_t audit,
			 uint32_t scmp)
{
	unsigned differ = 0;
	for (int nr = 0; nr < NR_END; nr++) {
		char *name = seccomp_syscall_resolve_num_arch(scmp, nr);
		struct seccomp_data d = { .nr = nr, .arch = audit };
		bool theirs = allowed(interpret(judge->p, judge->n, &d));
		bool mine = allowed(interpret(ours->p, ours->n, &d));
		bool later = false;
		for (size_t i = 0; i < COUNT_OF(later_allowed); i++)
			later = later || later_allowed[i] == nr;
		if (in_list(name, docker_refuses, COUNT_OF(docker_refuses)))
			theirs = false, differ++;
		if (in_list(name, docker_allows, COUNT_OF(docker_allows)) || later)
			theirs = true, differ++;
		if (theirs != mine)
			fail_msg("arch %x call %d (%s): the judge says %s", audit, nr,
				 name ? name : "?", theirs ? "allow" : "refuse");
		free(name);
	}
	assert_true(differ > COUNT_OF(docker_refuses)); /* the names were found */
}

static struct filter our_filter(bool no_raw)
{
	struct filter f = { .p = mem_alloc(SECCOMP_MAX * sizeof *f.p) };
	f.n = filter_build(no_raw, f.p);
	return f;
}

static void filter_build__agrees_with_libseccomp(void **state)
{
	(void)state;
#ifndef __x86_64__
	skip();
#endif
	struct filter judge = judge_filter(), ours = our_filter(false);
	compare_arch(&judge, &ours, AUDIT_ARCH_X86_64, SCMP_ARCH_X86_64);
	compare_arch(&judge, &ours, AUDIT_ARCH_I386, SCMP_ARCH_X86);
	free(judge.p);
	free(ours.p);
}

static uint32_t ask(const struct filter *f, uint32_t arch, int nr, uint64_t a, uint64_t b)
{
	struct seccomp_data d = { .nr = nr, .arch = arch, .args = { a, b } };
	return interpret(f->p, f->n, &d);
}

#define REFUSED(no) (SECCOMP_RET_ERRNO | (no))

static void filter_build__looks_at_arguments(void **state)
{
	(void)state;
#ifndef __x86_64__
	skip();
#endif
	struct filter judge = judge_filter(), f = our_filter(false);
	static const uint32_t persona[] = { 0,          8, 0x20000, 0x20008,
					    0xffffffff, 1, 0x40000, 0x0400000 };
	for (size_t i = 0; i < COUNT_OF(persona); i++)
		assert_int_equal(
			allowed(ask(&f, AUDIT_ARCH_X86_64, SYS_personality, persona[i], 0)),
			allowed(ask(&judge, AUDIT_ARCH_X86_64, SYS_personality, persona[i], 0)));
	/* clone: every namespace flag by itself */
	assert_true(allowed(ask(&f, AUDIT_ARCH_X86_64, SYS_clone, 0x01200011, 0)));
	static const uint32_t news[] = { 0x00020000, 0x02000000, 0x04000000, 0x08000000,
					 0x10000000, 0x20000000, 0x40000000 };
	for (size_t i = 0; i < COUNT_OF(news); i++) {
		assert_int_equal(ask(&f, AUDIT_ARCH_X86_64, SYS_clone, news[i] | 17, 0),
				 REFUSED(EPERM));
		assert_int_equal(ask(&f, AUDIT_ARCH_I386, 120, news[i] | 17, 0), REFUSED(EPERM));
	}
	assert_int_equal(ask(&f, AUDIT_ARCH_X86_64, SYS_clone3, 0, 0), REFUSED(ENOSYS));
	assert_int_equal(ask(&f, AUDIT_ARCH_X86_64, SYS_socket, AF_VSOCK, SOCK_STREAM),
			 REFUSED(EPERM));
	assert_true(allowed(ask(&f, AUDIT_ARCH_X86_64, SYS_socket, AF_INET, SOCK_RAW)));
	assert_true(allowed(ask(&f, AUDIT_ARCH_X86_64, SYS_socket, AF_PACKET, SOCK_RAW)));
	free(judge.p);
	free(f.p);
}

static void filter_build__refuses_raw_sockets_if_asked(void **state)
{
	(void)state;
#ifndef __x86_64__
	skip();
#endif
	struct filter f = our_filter(true);
	static const struct {
		uint64_t family, type;
		bool fine;
	} cases[] = {
		{ AF_INET, SOCK_STREAM | SOCK_CLOEXEC, true },
		{ AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, true },
		{ AF_UNIX, SOCK_STREAM, true },
		{ AF_UNIX, SOCK_RAW, true },
		{ AF_NETLINK, SOCK_RAW, true },
		{ AF_NETLINK, SOCK_DGRAM, true },
		{ AF_INET, SOCK_SEQPACKET, true },
		{ AF_INET, SOCK_RAW, false },
		{ AF_INET, SOCK_RAW | SOCK_CLOEXEC, false },
		{ AF_INET6, SOCK_RAW | SOCK_NONBLOCK, false },
		{ AF_INET, SOCK_PACKET, false },
		{ AF_PACKET, SOCK_DGRAM, false },
		{ AF_PACKET, SOCK_RAW, false },
		{ AF_LLC, SOCK_STREAM, false },
		{ 44 /* AF_XDP */, SOCK_RAW, false },
		{ AF_VSOCK, SOCK_STREAM, false },
		{ 0xffffffff00000000 | AF_PACKET, SOCK_DGRAM, false }, /* the kernel takes an int */
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		assert_int_equal(allowed(ask(&f, AUDIT_ARCH_X86_64, SYS_socket, cases[i].family,
					     cases[i].type)),
				 cases[i].fine);
		assert_int_equal(
			allowed(ask(&f, AUDIT_ARCH_I386, 359, cases[i].family, cases[i].type)),
			cases[i].fine);
	}
	assert_int_equal(ask(&f, AUDIT_ARCH_I386, 102, 1, 0),
			 REFUSED(EPERM)); /* socketcall(SYS_SOCKET) */
	assert_true(allowed(ask(&f, AUDIT_ARCH_I386, 102, 3, 0)));
	free(f.p);
}

static void filter_build__answers_enosys_to_what_it_does_not_know(void **state)
{
	(void)state;
#ifndef __x86_64__
	skip();
#endif
	struct filter f = our_filter(true);
	static const int unknown[] = { 387,        423,        467, 1000,     0x40000000,
				       0x40000001, 0x4000020b, -1,  INT32_MIN };
	for (size_t i = 0; i < COUNT_OF(unknown); i++)
		assert_int_equal(ask(&f, AUDIT_ARCH_X86_64, unknown[i], 0, 0), REFUSED(ENOSYS));
	assert_int_equal(ask(&f, AUDIT_ARCH_I386, 600, 0, 0), REFUSED(ENOSYS));
	assert_int_equal(ask(&f, AUDIT_ARCH_AARCH64, 64, 0, 0), REFUSED(ENOSYS));
	assert_int_equal(ask(&f, AUDIT_ARCH_X86_64, SYS_mount, 0, 0), REFUSED(EPERM));
	assert_true(f.n < 440);
	free(f.p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(filter_build__agrees_with_libseccomp),
		cmocka_unit_test(filter_build__looks_at_arguments),
		cmocka_unit_test(filter_build__refuses_raw_sockets_if_asked),
		cmocka_unit_test(filter_build__answers_enosys_to_what_it_does_not_know),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/seccomp.h"

#include <assert.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define RET(v)     ((struct sock_filter)BPF_STMT(BPF_RET | BPF_K, (v)))
#define LOAD(at)   ((struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (at)))
#define ALLOW      SECCOMP_RET_ALLOW
#define REFUSE(no) (SECCOMP_RET_ERRNO | (no))
/* The low word of an argument: what is looked at here are ints, and flags below bit 32. */
#define ARG(n) (offsetof(struct seccomp_data, args) + 8 * (n))
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "ARG takes the low word");

#define X32_BIT 0x40000000u
/* CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET: Docker's 2114060288 */
#define CLONE_NEW     0x7e020000u
#define SYS_SOCKET_NR 1 /* socketcall(2): SYS_SOCKET of linux/net.h */

enum { RULES = SECCOMP_SOCKETCALL + 1 };

struct builder {
	struct sock_filter *p;
	size_t n;
	size_t wait[SECCOMP_MAX]; /* jumps to rules, not yet written */
	size_t wait_n;
	bool no_raw;
};

static size_t emit(struct builder *b, struct sock_filter insn)
{
	assert(b->n < SECCOMP_MAX);
	b->p[b->n] = insn;
	return b->n++;
}

/* If the accumulator is v (shares a bit with v), the next instruction is run, else it is skipped. */
static void if_equal(struct builder *b, uint32_t v)
{
	emit(b, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, v, 0, 1));
}

static void if_bits(struct builder *b, uint32_t v)
{
	emit(b, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, v, 0, 1));
}

static void leaf(struct builder *b, enum seccomp_answer answer)
{
	switch (answer) {
	case SECCOMP_ALLOW: emit(b, RET(ALLOW)); return;
	case SECCOMP_EPERM: emit(b, RET(REFUSE(EPERM))); return;
	case SECCOMP_ENOSYS: emit(b, RET(REFUSE(ENOSYS))); return;
	default:
		/* k holds the rule until rules() knows where it is */
		b->wait[b->wait_n++] = emit(b,
					    (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, answer));
	}
}

/* The tree for ranges lo..hi-1: left part follows its node, the right part comes after it. */
static void search(struct builder *b, const struct seccomp_range *r, size_t lo, size_t hi)
{
	if (hi - lo == 1) {
		leaf(b, r[lo].answer);
		return;
	}
	size_t mid = lo + (hi - lo) / 2;
	size_t node = emit(b, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, r[mid].first,
							   0, 0));
	search(b, r, lo, mid);
	size_t skip = b->n - node - 1;
	assert(skip <= 255); /* jt has eight bits: tables of 128 ranges fit */
	b->p[node].jt = (uint8_t)skip;
	search(b, r, mid, hi);
}

static void rule_personality(struct builder *b)
{
	/* PER_LINUX, PER_LINUX32, both with UNAME26, and asking */
	static const uint32_t fine[] = { 0, 8, 0x20000, 0x20008, 0xffffffff };
	emit(b, LOAD(ARG(0)));
	for (size_t i = 0; i < sizeof fine / sizeof *fine; i++) {
		if_equal(b, fine[i]);
		emit(b, RET(ALLOW));
	}
	emit(b, RET(REFUSE(EPERM)));
}

static void rule_clone(struct builder *b)
{
	emit(b, LOAD(ARG(0)));
	if_bits(b, CLONE_NEW);
	emit(b, RET(REFUSE(EPERM)));
	emit(b, RET(ALLOW));
}

static void rule_socket(struct builder *b)
{
	emit(b, LOAD(ARG(0)));
	if_equal(b, AF_VSOCK); /* talks to the hypervisor; no namespace divides it */
	emit(b, RET(REFUSE(EPERM)));
	if (b->no_raw) {
		static const uint32_t families[] = { AF_PACKET, AF_LLC, AF_XDP };
		for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
			if_equal(b, families[i]);
			emit(b, RET(REFUSE(EPERM)));
		}
		if_equal(b, AF_NETLINK); /* SOCK_RAW is its usual type, and means nothing */
		emit(b, RET(ALLOW));
		if_equal(b, AF_UNIX);
		emit(b, RET(ALLOW));
		emit(b, LOAD(ARG(1)));
		emit(b, (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K,
						     0xf)); /* SOCK_TYPE_MASK */
		if_equal(b, SOCK_RAW);
		emit(b, RET(REFUSE(EPERM)));
		if_equal(b, SOCK_PACKET); /* the old spelling of AF_PACKET */
		emit(b, RET(REFUSE(EPERM)));
	}
	emit(b, RET(ALLOW));
}

static void rule_socketcall(struct builder *b)
{
	if (b->no_raw) {
		emit(b, LOAD(ARG(0)));
		if_equal(b, SYS_SOCKET_NR);
		emit(b, RET(REFUSE(EPERM)));
	}
	emit(b, RET(ALLOW));
}

/* Writes each rule that is waited for once, and points the jumps to it. */
static void rules(struct builder *b)
{
	static void (*const write[RULES])(struct builder *) = {
		[SECCOMP_PERSONALITY] = rule_personality,
		[SECCOMP_CLONE] = rule_clone,
		[SECCOMP_SOCKET] = rule_socket,
		[SECCOMP_SOCKETCALL] = rule_socketcall,
	};
	for (size_t rule = 0; rule < RULES; rule++) {
		size_t start = b->n;
		for (size_t i = 0; i < b->wait_n; i++) {
			if (!write[rule] || b->p[b->wait[i]].k != rule)
				continue;
			if (start == b->n)
				write[rule](b);
		}
		for (size_t i = 0; i < b->wait_n;) {
			size_t at = b->wait[i];
			if (!write[rule] || b->p[at].k != rule) {
				i++;
				continue;
			}
			b->p[at].k = (uint32_t)(start - at - 1);
			b->wait[i] = b->wait[--b->wait_n]; /* a distance is no rule's number */
		}
	}
}

size_t filter_build(bool no_raw, struct sock_filter out[static SECCOMP_MAX])
{
	struct builder b = { .p = out, .no_raw = no_raw };
	emit(&b, LOAD(offsetof(struct seccomp_data, arch)));
#if defined(__x86_64__)
	if_equal(&b, AUDIT_ARCH_X86_64);
	size_t to_native = emit(&b, (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, 0));
	if_equal(&b, AUDIT_ARCH_I386);
	size_t to_i386 = emit(&b, (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, 0));
	emit(&b, RET(REFUSE(ENOSYS)));
	b.p[to_native].k = (uint32_t)(b.n - to_native - 1);
	emit(&b, LOAD(offsetof(struct seccomp_data, nr)));
	/* x32 lies above every number of the table, whose last range is ENOSYS */
	assert(seccomp_x86_64[seccomp_x86_64_n - 1].answer == SECCOMP_ENOSYS &&
	       seccomp_x86_64[seccomp_x86_64_n - 1].first < X32_BIT);
	search(&b, seccomp_x86_64, 0, seccomp_x86_64_n);
	b.p[to_i386].k = (uint32_t)(b.n - to_i386 - 1);
	emit(&b, LOAD(offsetof(struct seccomp_data, nr)));
	search(&b, seccomp_i386, 0, seccomp_i386_n);
#elif defined(__aarch64__)
	if_equal(&b, AUDIT_ARCH_AARCH64);
	size_t to_native = emit(&b, (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, 0));
	emit(&b, RET(REFUSE(ENOSYS)));
	b.p[to_native].k = (uint32_t)(b.n - to_native - 1);
	emit(&b, LOAD(offsetof(struct seccomp_data, nr)));
	search(&b, seccomp_aarch64, 0, seccomp_aarch64_n);
#else
#error "tools/seccomp-table has no table for this architecture"
#endif
	rules(&b);
	return b.n;
}

int filter_load(const struct sock_filter *filter, size_t n)
{
	struct sock_fprog prog = { .len = (unsigned short)n,
				   .filter = (struct sock_filter *)filter };
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog);
}

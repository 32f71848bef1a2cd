/* SPDX-License-Identifier: Apache-2.0 */
/* base/sha256_both.c: the same bytes into two digests. A layer's files are hashed twice, each for its
 * content digest and all of them in the layer's tar stream, whose members begin at multiples of 512
 * bytes: so both digests see the same blocks of 64 bytes. The message schedule is then worked out
 * once, and the rounds of the two, which wait for their own last result, fill each other's gaps:
 * both at 1.13 times the cost of one, where the CPU has SHA instructions. Elsewhere one after the
 * other, by nettle. */
#include "base/sha256.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#include <stdbool.h>

/* Leaf 1: SSSE3 and SSE4.1; leaf 7: SHA. Looked at when first needed: in a virtual machine it traps. */
static bool has_sha(void)
{
	static int known; /* 0 not yet, 1 no, 2 yes; threads that meet here find the same */
	int k = __atomic_load_n(&known, __ATOMIC_RELAXED);
	if (!k) {
		unsigned a, b, c, d, b7 = 0;
		bool sse = __get_cpuid(1, &a, &b, &c, &d) && (c & bit_SSSE3) && (c & bit_SSE4_1);
		if (sse && __get_cpuid_count(7, 0, &a, &b7, &c, &d))
			k = b7 & (1u << 29) ? 2 : 1;
		else
			k = 1;
		__atomic_store_n(&known, k, __ATOMIC_RELAXED);
	}
	return k == 2;
}

/* FIPS 180-4, 4.2.2 */
static const uint32_t constants[64] __attribute__((aligned(16))) = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
	0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
	0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
	0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
	0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
	0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
	0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
	0xc67178f2,
};

#define SHA_CODE __attribute__((target("sha,sse4.1,ssse3")))

/* The eight words A to H as the instructions want them: ABEF and CDGH. */
struct halves {
	__m128i abef, cdgh;
};

SHA_CODE static inline struct halves halves_of(const uint32_t state[static 8])
{
	__m128i cdab = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)state), 0xb1);
	__m128i efgh = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(state + 4)), 0x1b);
	return (struct halves){ _mm_alignr_epi8(cdab, efgh, 8), _mm_blend_epi16(efgh, cdab, 0xf0) };
}

SHA_CODE static inline void put_state(struct halves h, uint32_t state[static 8])
{
	__m128i feba = _mm_shuffle_epi32(h.abef, 0x1b), dchg = _mm_shuffle_epi32(h.cdgh, 0xb1);
	_mm_storeu_si128((__m128i *)state, _mm_blend_epi16(feba, dchg, 0xf0));
	_mm_storeu_si128((__m128i *)(state + 4), _mm_alignr_epi8(dchg, feba, 8));
}

SHA_CODE static void blocks_both(uint32_t a[static 8], uint32_t b[static 8], const uint8_t *p,
				 size_t blocks)
{
	const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
	struct halves x = halves_of(a), y = halves_of(b);
	for (; blocks; blocks--, p += SHA256_BLOCK_SIZE) {
		struct halves x0 = x, y0 = y;
		__m128i m[4]; /* the last sixteen words of the schedule */
		for (int i = 0; i < 4; i++)
			m[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(p + 16 * i)),
						big_endian);
		/* Four rounds at a time; unrolled, so that m stays in registers. */
#define FOUR_ROUNDS(g)                                                                             \
	do {                                                                                       \
		__m128i w = _mm_add_epi32(                                                         \
			m[(g) & 3], _mm_load_si128((const __m128i *)(constants + 4 * (g))));       \
		x.cdgh = _mm_sha256rnds2_epu32(x.cdgh, x.abef, w);                                 \
		y.cdgh = _mm_sha256rnds2_epu32(y.cdgh, y.abef, w);                                 \
		if ((g) < 12)                                                                      \
			m[(g) & 3] = _mm_sha256msg2_epu32(                                         \
				_mm_add_epi32(_mm_sha256msg1_epu32(m[(g) & 3], m[((g) + 1) & 3]),  \
					      _mm_alignr_epi8(m[((g) + 3) & 3], m[((g) + 2) & 3],  \
							      4)),                                 \
				m[((g) + 3) & 3]);                                                 \
		w = _mm_shuffle_epi32(w, 0x0e);                                                    \
		x.abef = _mm_sha256rnds2_epu32(x.abef, x.cdgh, w);                                 \
		y.abef = _mm_sha256rnds2_epu32(y.abef, y.cdgh, w);                                 \
	} while (0)
		FOUR_ROUNDS(0);
		FOUR_ROUNDS(1);
		FOUR_ROUNDS(2);
		FOUR_ROUNDS(3);
		FOUR_ROUNDS(4);
		FOUR_ROUNDS(5);
		FOUR_ROUNDS(6);
		FOUR_ROUNDS(7);
		FOUR_ROUNDS(8);
		FOUR_ROUNDS(9);
		FOUR_ROUNDS(10);
		FOUR_ROUNDS(11);
		FOUR_ROUNDS(12);
		FOUR_ROUNDS(13);
		FOUR_ROUNDS(14);
		FOUR_ROUNDS(15);
#undef FOUR_ROUNDS
		x.abef = _mm_add_epi32(x.abef, x0.abef);
		x.cdgh = _mm_add_epi32(x.cdgh, x0.cdgh);
		y.abef = _mm_add_epi32(y.abef, y0.abef);
		y.cdgh = _mm_add_epi32(y.cdgh, y0.cdgh);
	}
	put_state(x, a);
	put_state(y, b);
}

/* Whole blocks, when both begin one here. Returns the bytes that were taken. */
static size_t add_blocks(struct sha256 *a, struct sha256 *b, const uint8_t *p, size_t n)
{
	size_t blocks = n / SHA256_BLOCK_SIZE;
	if (!blocks || !has_sha())
		return 0;
	blocks_both(a->ctx.state, b->ctx.state, p, blocks);
	a->ctx.count += blocks; /* nettle counts blocks */
	b->ctx.count += blocks;
	return blocks * SHA256_BLOCK_SIZE;
}
#else
static size_t add_blocks(struct sha256 *a, struct sha256 *b, const uint8_t *p, size_t n)
{
	(void)a, (void)b, (void)p, (void)n;
	return 0;
}
#endif

void sha256_add_both(struct sha256 *a, struct sha256 *b, const void *bytes, size_t n)
{
	const uint8_t *p = bytes;
	if (n && a->ctx.index == b->ctx.index) {
		size_t open = a->ctx.index; /* bytes of a block that is not full yet */
		size_t fits = open ? SHA256_BLOCK_SIZE - open : 0;
		if (fits > n)
			fits = n;
		sha256_add(a, p, fits);
		sha256_add(b, p, fits);
		size_t taken = fits + add_blocks(a, b, p + fits, n - fits);
		p += taken;
		n -= taken;
	}
	sha256_add(a, p, n);
	sha256_add(b, p, n);
}

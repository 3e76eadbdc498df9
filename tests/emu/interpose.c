/* SPDX-License-Identifier: MIT */
/*
 * Run under sva-emu: a program with string functions of its own, as memory offload libraries have
 * them. If the emulator called one of them while it executes a descriptor, that would recurse; here
 * the program exits with 9.
 */
#include <stdio.h>

#include "client.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
int main(void)
{
	return 77; /* sanitizers have string functions of their own */
}
#else

static volatile bool submitting;
static volatile unsigned long called;

static void look(void)
{
	called++;
	if (submitting)
		_exit(9);
}

void *memcpy(void *restrict dst, const void *restrict src, size_t len)
{
	unsigned char *to = dst;
	const unsigned char *from = src;

	look();
	while (len--)
		*to++ = *from++;
	return dst;
}

void *memmove(void *dst, const void *src, size_t len)
{
	unsigned char *to = dst;
	const unsigned char *from = src;

	look();
	if (to < from)
		while (len--)
			*to++ = *from++;
	else
		while (len--)
			to[len] = from[len];
	return dst;
}

void *memset(void *dst, int value, size_t len)
{
	unsigned char *to = dst;

	look();
	while (len--)
		*to++ = (unsigned char)value;
	return dst;
}

int memcmp(const void *a, const void *b, size_t len)
{
	const unsigned char *x = a, *y = b;

	look();
	for (; len; len--, x++, y++)
		if (*x != *y)
			return *x - *y;
	return 0;
}

size_t strlen(const char *s)
{
	size_t n = 0;

	look();
	while (s[n])
		n++;
	return n;
}

static uint8_t from[8192], to[8192], delta[16384];
static struct sva_desc desc;
static struct sva_comp comp;

static int submit(void *portal)
{
	bool retry;

	submitting = true;
	retry = enqcmd(portal, &desc);
	submitting = false;
	return !retry && wait_record(&comp, 5) == SVA_STATUS_SUCCESS;
}

int main(void)
{
	static const enum sva_opcode ops[] = {
		SVA_OPCODE_MEMMOVE,	    SVA_OPCODE_FILL,	     SVA_OPCODE_COMPARE,
		SVA_OPCODE_COMPARE_PATTERN, SVA_OPCODE_CREATE_DELTA, SVA_OPCODE_CRC,
		SVA_OPCODE_COPY_CRC,
	};
	void *portal = map_queue("/dev/dsa/wq0.0", NULL);
	unsigned int i;

	if (portal == MAP_FAILED)
		return 3;
	for (i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		prep(&desc, &comp, ops[i], from, to, sizeof(from));
		if (ops[i] == SVA_OPCODE_FILL || ops[i] == SVA_OPCODE_COMPARE_PATTERN)
			desc.src = ops[i] == SVA_OPCODE_FILL ? 0 : (uintptr_t)from;
		if (ops[i] == SVA_OPCODE_COMPARE_PATTERN || ops[i] == SVA_OPCODE_CRC)
			desc.dst = 0;
		if (ops[i] == SVA_OPCODE_CREATE_DELTA) {
			desc.op.delta.addr_or_size = (uintptr_t)delta;
			desc.op.delta.max_size = sizeof(from) / 8 * 10;
		}
		if (!submit(portal)) {
			printf("operation 0x%02x: status 0x%02x\n", ops[i], comp.status);
			return 1;
		}
	}
	/* prep() calls memset: if ours was not called, another one is in front of it */
	return called ? 0 : 4;
}
#endif

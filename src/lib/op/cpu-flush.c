/* SPDX-License-Identifier: MIT */
/* Cache flush on the CPU: each line is written back and invalidated. */
#include "lib/op/cpu.h"

#ifdef __x86_64__

#include <cpuid.h>
#include <immintrin.h>

#define LINE 64u

/*
 * CLFLUSHOPT flushes lines in parallel. CLFLUSH, which every CPU has, flushes one after the other.
 */
__attribute__((target("clflushopt"))) static void flush_together(const uint8_t *line,
								 const uint8_t *end)
{
	for (; line < end; line += LINE)
		_mm_clflushopt((void *)(uintptr_t)line);
}

static bool has_clflushopt;

static __attribute__((constructor)) void look_for_clflushopt(void)
{
	unsigned int a, b, c, d;

	has_clflushopt = __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & (1u << 23));
}

void sva_cpu_flush(const void *addr, size_t len)
{
	const uint8_t *line = (const uint8_t *)((uintptr_t)addr & ~(uintptr_t)(LINE - 1));
	const uint8_t *end = (const uint8_t *)addr + len;

	if (has_clflushopt)
		flush_together(line, end);
	else
		for (; line < end; line += LINE)
			_mm_clflush(line);
	_mm_mfence();
}

#else

/* As in the model: no instruction for it is known. */
void sva_cpu_flush(const void *addr, size_t len)
{
	(void)addr;
	(void)len;
}

#endif

/* SPDX-License-Identifier: MIT */
/* A first DSA program: copy a buffer with one descriptor, on the first shared queue. */
#include <fcntl.h>
#include <linux/idxd.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

static struct dsa_hw_desc desc __attribute__((aligned(64)));
static volatile struct dsa_completion_record record __attribute__((aligned(32)));
static char from[4096], to[4096];

/* Returns 1 if the queue did not accept the descriptor: full, disabled, or not a shared queue. */
static int enqcmd(void *portal, const void *descriptor)
{
	unsigned char retry;

	__asm__ volatile("sfence\n\t.byte 0xf2, 0x0f, 0x38, 0xf8, 0x02\n\tsetz %0"
			 : "=r"(retry) : "a"(portal), "d"(descriptor) : "memory", "cc");
	return retry;
}

int main(void)
{
	int fd = open("/dev/dsa/wq0.0", O_RDWR | O_CLOEXEC), tries;
	void *portal;

	if (fd < 0) {
		perror("/dev/dsa/wq0.0");
		return 1;
	}
	portal = mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, fd, 0);
	if (portal == MAP_FAILED) {
		perror("mmap");
		return 1;
	}
	strcpy(from, "moved by a DSA");
	desc.opcode = DSA_OPCODE_MEMMOVE;
	desc.flags = IDXD_OP_FLAG_CRAV | IDXD_OP_FLAG_RCR;
	desc.completion_addr = (uintptr_t)&record;
	desc.src_addr = (uintptr_t)from;
	desc.dst_addr = (uintptr_t)to;
	desc.xfer_size = sizeof(from);
	for (tries = 0; enqcmd(portal, &desc); tries++) {
		if (tries == 1000) {
			fputs("the queue accepts nothing\n", stderr);
			return 1;
		}
	}
	while (record.status == 0)
		__builtin_ia32_pause();
	printf("status %d: %s\n", record.status, to);
	return record.status != DSA_COMP_SUCCESS;
}

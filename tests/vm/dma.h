/* SPDX-License-Identifier: MIT */
/*
 * Shared by the tests of /dev/sva_dma: the ioctls as functions that return 0 or a negative errno,
 * the counters of the module, the parameters of the provider.
 */
#ifndef SVA_TESTS_VM_DMA_H
#define SVA_TESTS_VM_DMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uapi/sva_dma.h>

#define DMA_NODE "/dev/sva_dma"

/* An open file, with its ring if it was mapped. */
struct dma {
	int fd;
	struct sva_dma_info info;
	struct sva_dma_ring *ring;
};

/* These end the program if they fail: nothing could be tested. */
void dma_open(struct dma *dma);
void dma_ring(struct dma *dma);
void dma_close(struct dma *dma);
void *dma_alloc(size_t len); /* whole pages, with an inaccessible one before and behind */
void dma_free(void *memory, size_t len);
void dma_die(const char *what);

/* An ioctl: 0 or -errno. */
int dma_call(const struct dma *dma, unsigned int call, void *arg);

int dma_copy(const struct dma *dma, void *dst, const void *src, size_t len);
int dma_fill(const struct dma *dma, void *dst, uint64_t pattern, size_t len);
int dma_map(const struct dma *dma, void *addr, size_t len, unsigned int flags, uint32_t *handle);
int dma_unmap(const struct dma *dma, uint32_t handle);
int dma_sync(const struct dma *dma, uint32_t handle, uint64_t offset, uint64_t len,
	     unsigned int flags);
int dma_submit(const struct dma *dma, struct sva_dma_op *ops, unsigned int nr, unsigned int flags,
	       unsigned int *taken);
int dma_wait(const struct dma *dma, unsigned int min, int64_t timeout_ns, unsigned int *available);
bool dma_reap(struct dma *dma, struct sva_dma_cqe *cqe); /* one completion, if there is one */

/* An operation on addresses, for SUBMIT. */
struct sva_dma_op dma_op_copy(void *dst, const void *src, size_t len, uint64_t user_data);

long dma_counter(const char *name);
bool dma_all_zero(int seconds); /* waits until the module's counters are zero */
void dma_print_counters(void);

void dma_provider(const char *parameter, long value);
int dma_write(const char *path, const char *text); /* 0 or -errno */
bool dma_module_loaded(const char *name);

uint64_t dma_random(uint64_t *state);
void dma_scramble(void *memory, size_t len, uint64_t *state);
uint64_t dma_now(void); /* ns */

#endif

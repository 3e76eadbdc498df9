/* SPDX-License-Identifier: MIT */
/*
 * The model: a DSA in plain C. Descriptor in, memory accessors in, completion record out.
 *
 * It has four users: the soft path of the library, sva-emu, the device of the virtual machine, and
 * the fuzzers. So it has no threads, no globals that change, no allocation and no libc string
 * functions (a client may interpose those), and it may run inside a signal handler.
 *
 * Facts come from the DSA specification rev 3.0 and the Linux headers (see sva/desc.h). Where they
 * are silent or disagree the choice is named in a comment that begins with UNCERTAIN, and no test
 * asserts it as known.
 */
#ifndef SVA_MODEL_H
#define SVA_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sva/desc.h"

struct sva_model_outcome;

/* What an access is for, given to sva_model_mem::map. */
enum sva_model_access {
	SVA_MODEL_READ = 0,
	SVA_MODEL_WRITE = 1,  /* the model may also read what it maps for writing */
	/* or-ed in: block on fault; resolve the fault if there is any way to */
	SVA_MODEL_BOF = 2,
	SVA_MODEL_RECORD = 4, /* or-ed in: it is a completion record. Its faults never become a
			       * partial completion; a queue that may ask for pages (PRS on)
			       * resolves them whether BOF is set or not */
};

/*
 * How the model reaches memory: windows. A window is a run of bytes that can be used through a host
 * pointer.
 *
 * Faults have pages of 4096 bytes: either every byte of a page can be read (written) or none.
 *
 * map: make the bytes from addr on usable. *len is how many are wanted, at least 1; on success the
 * pointer is returned and *len says how many can be used through it, at least 1 and never more than
 * asked for. On a fault NULL is returned and *fault is the faulting address (its low 12 bits may be
 * cleared). For SVA_MODEL_RECORD the whole length or nothing. unmap: the window is not needed any
 * more. used is how many bytes, from its start, were read or written; an accessor that works on
 * copies writes those back. May be NULL. At most three windows are open at a time.
 */
struct sva_model_mem {
	void *(*map)(void *ctx, uint64_t addr, size_t *len, unsigned int access, uint64_t *fault);
	void (*unmap)(void *ctx, void *host, size_t used, unsigned int access);
	void *ctx;
	/*
	 * May be NULL. Called for each error that goes to SWERROR or the event log, in the order in
	 * which they happen, with the descriptor that it belongs to: an outcome has room for one
	 * error, and each descriptor of a batch may have its own.
	 */
	void (*event)(void *ctx, const struct sva_desc *desc,
		      const struct sva_model_outcome *outcome);
};

/* Which device, and which limits of its queue, a descriptor meets. Values as in sysfs and WQCFG. */
struct sva_model_profile {
	const char *name;          /* "dsa1", "dsa2", "dsa3" */
	uint32_t version;          /* 0x100, 0x200, 0x300 */
	uint64_t gen_cap;
	uint64_t op_cap[4];        /* bit n % 64 of word n / 64: operation n */
	uint64_t dsacap[3];
	uint64_t max_transfer;     /* of the queue, bytes, a power of two */
	uint32_t max_batch;        /* of the queue, descriptors, a power of two */
	bool block_on_fault;       /* of the queue */
	/* zero-pad CRC sources as the specification's text says; hardware and code do not */
	bool crc_pad;
	/* any order is lawful in a batch: run unfenced neighbours in another one, for tests */
	bool batch_backwards;
	uint32_t batch_seed;       /* with batch_backwards: which order; 0 is strictly backwards */
	/* the event log is on (gen_cap bits 14:13 say that there is one) */
	bool event_log;
	bool prs_disable;          /* of the queue: it may not ask for pages */
	/* descriptors may have the PRIV bit: else they are lost with error 0x1d */
	bool priv;
	/* descriptors without PRIV may ask for a completion interrupt too */
	bool user_interrupt;
	uint16_t int_handles;      /* interrupt handles below this are valid, others answer 0x19 */
};

/* Sapphire Rapids values, queue limits at Linux's defaults */
extern const struct sva_model_profile sva_model_dsa1;
extern const struct sva_model_profile sva_model_dsa2;
extern const struct sva_model_profile sva_model_dsa3;

/* The profile of that name, or NULL. */
const struct sva_model_profile *sva_model_profile_find(const char *name);

/* What became of a descriptor, besides its record. */
enum sva_model_end {
	SVA_MODEL_RECORDED,    /* a completion record was written */
	SVA_MODEL_SILENT,      /* lawfully no record: no CRAV, or success without RCR */
	SVA_MODEL_LOST, /* the device did not write the record (fault, misaligned, PRIV): a poller
			 * waits forever, unless the event log is on and the driver writes the
			 * record from there */
};

struct sva_model_outcome {
	enum sva_model_end end;
	struct sva_comp comp;      /* the record as it was, or would have been, written */
	/* SWERROR / event log code (0x1a, 0x1b, 0x1d, 0x19, 0x26, 0x27 …), 0 if none */
	uint8_t swerror;
	uint64_t swerror_addr;     /* the address that goes with it */
	uint32_t swerror_index;    /* in a batch: which descriptor; else 0 */
	bool in_batch;             /* the error belongs to a descriptor of the batch */
	bool first_in_batch;       /* … and is the first one of it */
	bool priv;                 /* the descriptor, or its batch, had the PRIV bit */
};

/*
 * Execute one descriptor, a batch with all its entries included, and write the completion records
 * through mem. The stores of a record other than its status byte come first, then the status with
 * release order. Never blocks (an accessor may).
 */
void sva_model_execute(const struct sva_model_profile *profile, const struct sva_model_mem *mem,
		       const struct sva_desc *desc, struct sva_model_outcome *outcome);

/*
 * Call once before the model runs in a signal handler: ISA-L picks its kernels here, so that no
 * symbol has to be looked up there. Without it everything works the same.
 */
void sva_model_prepare(void);

/*
 * Work queues. Storage is the caller's; one thread at a time uses a queue. A shared queue answers
 * -EAGAIN ("retry", ZF) when threshold entries are in it; a dedicated one drops silently, as the
 * hardware does, and reports error 0x53 through swerror. The wrong instruction answers as the
 * facts' table says: ENQCMD to a dedicated or disabled queue: retry; MOVDIR64B to a shared or
 * disabled one: dropped.
 */
enum sva_model_store {
	SVA_MODEL_ENQCMD,
	SVA_MODEL_MOVDIR64B,
	SVA_MODEL_ENQCMD_UNLIMITED, /* through the unlimited portal: the threshold does not count */
};

struct sva_model_queue {
	bool enabled;
	bool dedicated;
	uint32_t size;             /* entries of ring */
	uint32_t threshold;        /* shared: entries usable through the limited portal */
	struct sva_desc *ring;     /* size entries, the caller's */
	uint32_t head, count;
	uint64_t accepted, retried, dropped; /* counters */
	/* last error, 0x53 after a drop on a full dedicated queue; the user clears it */
	uint8_t swerror;
};

/* 0 accepted, -EAGAIN retry (ENQCMD only); MOVDIR64B always answers 0, dropped or not. */
int sva_model_enqueue(struct sva_model_queue *queue, enum sva_model_store how,
		      const struct sva_desc *desc);

/* Take the oldest descriptor out; false if there is none. */
bool sva_model_dequeue(struct sva_model_queue *queue, struct sva_desc *desc);

/*
 * Event log entries ([S3] 5.9, 7.3), for the emulator and the virtual machine: fill the 64-byte
 * entry that describes an outcome with an error. Returns false if the outcome has nothing to log.
 * Byte 3, the batch identifier, is left 0: the caller numbers the batches that are in flight at the
 * same time.
 */
bool sva_model_evl_entry(const struct sva_desc *desc, const struct sva_model_outcome *outcome,
			 uint32_t pasid, uint8_t queue, uint8_t entry[64]);

#endif

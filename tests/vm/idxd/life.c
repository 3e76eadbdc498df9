/* SPDX-License-Identifier: MIT */
/*
 * idxd-life PATH: processes that fork, exec and die with operations in flight under the real
 * driver; a dedicated queue that another process has; a bond that is released, and a portal that is
 * unmapped, with operations in flight; the PASID of a bond.
 *
 *	idxd-life PATH pasid	prints the PASID of this process, and submits one descriptor whose
 *				record cannot be written (shared queue, write(2))
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sva/info.h"
#include "tap.h"

#define FLIGHT 12
#define LEN    (192u << 10)

static const char *path;
static int wanted;
static char queue[32];
static struct sva_op *ops;
static uint8_t *src[FLIGHT], *dst[FLIGHT];

static uint8_t *fresh(size_t len)
{
	uint8_t *p = mmap(NULL, len, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (p == MAP_FAILED) {
		printf("Bail out! mmap: %s\n", strerror(errno));
		exit(1);
	}
	return p;
}

static struct sva *open_context(const char *paths)
{
	struct sva_opts opts = SVA_OPTS_INIT;
	struct sva *sva;
	int err;

	opts.paths = paths;
	opts.threshold = 1;
	err = sva_open(&sva, &opts);
	if (!err)
		return sva;
	printf("Bail out! sva_open: %s\n", strerror(-err));
	exit(1);
}

/* On the bond, or if that is NULL by a route that the context chooses. */
static int submit(struct sva *sva, struct sva_bond *bond, struct sva_op *op)
{
	return bond ? sva_bond_submit(bond, op) : sva_submit(sva, op);
}

static unsigned int launch(struct sva *sva, struct sva_bond *bond)
{
	unsigned int failed = 0;

	for (int i = 0; i < FLIGHT; i++) {
		int err;

		memset(src[i], i + 1, LEN);
		memset(dst[i], 0, LEN);
		sva_prep_memcpy(&ops[i], dst[i], src[i], LEN);
		while ((err = submit(sva, bond, &ops[i])) == -EAGAIN)
			for (int j = 0; j < i; j++)
				sva_poll(&ops[j]);
		failed += err != 0;
	}
	return failed;
}

static unsigned int land(void)
{
	unsigned int failed = 0;

	for (int i = 0; i < FLIGHT; i++) {
		int err = sva_wait(&ops[i], -1);

		failed += err || memcmp(src[i], dst[i], LEN) != 0;
		if (err)
			printf("# %d, status %#x\n", err, sva_op_result(&ops[i])->status);
	}
	return failed;
}

static int reap_child(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
}

static pid_t must_fork(void)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid >= 0)
		return pid;
	printf("Bail out! fork: %s\n", strerror(errno));
	exit(1);
}

/* Tests that the queue works as before. */
static void usable(const char *after)
{
	struct sva *sva = open_context(path);
	int err = sva_memcpy(sva, dst[0], src[0], LEN);

	if (!ok(!err && sva_last_result()->path == wanted, "after %s the queue serves as before",
		after))
		printf("# %d, reason %s\n", err, sva_reason_text(sva_last_result()->reason));
	sva_close(sva);
}

/* ------------------------------------------------------------------ fork, exec, death */

/* The handles that a child inherits are refused; its own default context works. */
static int child_of_fork(struct sva *sva)
{
	uint8_t *from = fresh(LEN), *to = fresh(LEN);

	if (sva_poll(&ops[FLIGHT - 1]) != -ESTALE)
		return 1;
	if (sva_memcpy(sva, to, from, LEN) != -ESTALE)
		return 2;
	memset(from, 77, LEN);
	if (sva_memcpy(NULL, to, from, LEN) || memcmp(from, to, LEN))
		return 3;
	/* The parent has the dedicated queue, so the child cannot use it. */
	if (!strcmp(path, "movdir64b") && sva_last_result()->path == wanted &&
	    !strcmp(sva_last_result()->queue, queue))
		return 4;
	return 0;
}

static void forks(void)
{
	struct sva *sva = open_context(path);
	unsigned int failed = 0, children = 0;

	for (int round = 0; round < 8; round++) {
		pid_t pid;

		failed += launch(sva, NULL);
		pid = must_fork();
		if (!pid)
			_exit(child_of_fork(sva));
		failed += land();
		children += reap_child(pid) != 0;
	}
	is(failed, 0, "operations in flight over a fork complete, and every byte is right");
	is(children, 0,
	   "a forked child gets -ESTALE for its parent's handles, and can use its own context");
	sva_close(sva);
	usable("forks");
}

static void leaves(const char *how, void (*leave)(void))
{
	unsigned int wrong = 0;

	for (int round = 0; round < 15; round++) {
		pid_t pid = must_fork();
		int end;

		if (!pid) {
			struct sva *sva = open_context(path);

			if (launch(sva, NULL))
				_exit(3);
			leave();
			_exit(4);
		}
		end = reap_child(pid);
		if (end && end != 1000 + SIGKILL) {
			printf("# child ended with %d\n", end);
			wrong++;
		}
	}
	is(wrong, 0, how);
	usable(how);
}

static void leave_by_exec(void)
{
	execl("/bin/true", "true", (char *)NULL);
}

static void leave_by_exit(void)
{
	_exit(0);
}

static void leave_by_kill(void)
{
	kill(getpid(), SIGKILL);
}

/* ------------------------------------------------------------------ queue and portal */

static int hold(int ready, int go)
{
	struct sva *sva = open_context(path);
	struct sva_bond *bond;
	char c = 0;

	if (sva_bind(sva, queue, 0, &bond) || write(ready, "", 1) != 1 || read(go, &c, 1) != 1)
		return 1;
	sva_unbind(bond);
	sva_close(sva);
	return 0;
}

static void held_by_another(void)
{
	int ready[2], go[2], err;
	char text[256], c = 0;
	struct sva *sva;
	pid_t pid;

	if (pipe(ready) || pipe(go))
		return;
	pid = must_fork();
	if (!pid)
		_exit(hold(ready[1], go[0]));
	close(ready[1]); /* so that read() returns if the child fails */
	if (read(ready[0], &c, 1) != 1) {
		ok(false, "another process binds the queue: %d", reap_child(pid));
		return;
	}
	setenv("SVA_QUEUES", queue, 1);
	sva = open_context(NULL);
	is(sva_explain(sva, wanted, text, sizeof(text)), SVA_REASON_BUSY,
	   "sva_bind() of a dedicated queue that another process has is -EBUSY");
	memset(src[0], 5, LEN);
	err = sva_memcpy(sva, dst[0], src[0], LEN);
	ok(!err && !memcmp(dst[0], src[0], LEN) && sva_last_result()->path != wanted,
	   "a copy takes another path while another process has the queue: %s",
	   sva_path_name(sva_last_result()->path));
	ok(write(go[1], &c, 1) == 1 && !reap_child(pid), "the other process unbinds the queue");
	is(sva_explain(sva, wanted, text, sizeof(text)), SVA_REASON_OK,
	   "a queue that another process has unbound can be bound");
	sva_close(sva);
	unsetenv("SVA_QUEUES");
	close(ready[0]);
	close(go[0]);
	close(go[1]);
}

/*
 * sva_unbind() waits until the device has finished what was submitted. It ends no operation: the
 * first poll does.
 */
static void unbound(void)
{
	struct sva *sva = open_context(path);
	unsigned int failed = 0;

	for (int round = 0; round < 5; round++) {
		struct sva_bond *bond;

		if (sva_bind(sva, queue, 0, &bond)) {
			failed++;
			break;
		}
		failed += launch(sva, bond);
		sva_unbind(bond);
		for (int i = 0; i < FLIGHT; i++)
			failed += memcmp(src[i], dst[i], LEN) || sva_poll(&ops[i]) != 1;
	}
	is(failed, 0, "a bond released under work in flight: all of it was done before, and ends");
	sva_close(sva);
}

/* Where the portal of the queue is mapped. */
static void *find_portal(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[512], node[64];
	void *at = NULL;

	snprintf(node, sizeof(node), "/dev/dsa/%s", queue);
	while (maps && fgets(line, sizeof(line), maps))
		if (strstr(line, node))
			at = (void *)strtoul(line, NULL, 16); /* NOLINT */
	if (maps)
		fclose(maps);
	return at;
}

/*
 * The portal is unmapped: operations in flight succeed; the next submission gets a signal, and does
 * no other harm.
 */
static int without_portal(void)
{
	struct sva *sva = open_context(path);
	void *portal;

	if (launch(sva, NULL))
		return 1;
	portal = find_portal();
	if (!portal || munmap(portal, 4096))
		return 2;
	if (land())
		return 3;
	launch(sva, NULL);
	return 4;
}

static void unmapped(void)
{
	pid_t pid;

	if (!strcmp(path, "write"))
		return;
	pid = must_fork();
	if (!pid)
		_exit(without_portal());
	is(reap_child(pid), 1000 + SIGSEGV,
	   "a portal unmapped under work in flight: it ends, and the next submission is SIGSEGV");
	usable("a portal was unmapped");
}

/* ------------------------------------------------------------------ PASID */

static int pasid(void)
{
	struct sva *sva = open_context(path);
	struct sva_desc desc __attribute__((aligned(64))) = { 0 };
	struct sva_bond *bond;
	uint8_t *gone = fresh(4096);
	char node[64];
	uint32_t value;
	int fd, err;

	err = sva_bind(sva, queue, 0, &bond);
	if (!err)
		err = sva_bond_pasid(bond, &value);
	if (err) {
		printf("no PASID: %s\n", strerror(-err));
		return 1;
	}
	munmap(gone, 4096);
	snprintf(node, sizeof(node), "/dev/dsa/%s", queue);
	fd = open(node, O_RDWR | O_CLOEXEC);
	desc.flags_opcode = SVA_DESC_CRAV | SVA_DESC_RCR; /* a no-op */
	desc.completion_addr = (uintptr_t)gone;
	if (fd < 0 || write(fd, &desc, sizeof(desc)) != sizeof(desc)) {
		printf("write: %s\n", strerror(errno));
		return 1;
	}
	usleep(300000);
	printf("pasid %#x\n", value);
	close(fd);
	sva_unbind(bond);
	sva_close(sva);
	return 0;
}

int main(int argc, char **argv)
{
	struct sva_queue_info info = { .size = sizeof(info) };
	struct sva *sva;

	if (argc < 2)
		return 2;
	path = argv[1];
	while (wanted < SVA_PATH_COUNT && strcmp(path, sva_path_name(wanted)))
		wanted++;
	/* The first queue that has this path. */
	sva = open_context(path);
	for (unsigned int i = 0; !queue[0] && !sva_queue_describe(sva, i, 1, &info); i++)
		if (!info.reasons[wanted])
			snprintf(queue, sizeof(queue), "%s", info.name);
	sva_close(sva);
	if (!queue[0]) {
		ok(false, "there is a queue for %s", path);
		return done();
	}
	printf("# %s\n", queue);
	if (argc > 2)
		return pasid();
	ops = aligned_alloc(64, FLIGHT * sizeof(*ops));
	for (int i = 0; i < FLIGHT; i++) {
		src[i] = fresh(LEN);
		dst[i] = fresh(LEN);
	}
	forks();
	leaves("exec with work in flight", leave_by_exec);
	leaves("exit with work in flight", leave_by_exit);
	leaves("death with work in flight", leave_by_kill);
	if (info.mode == SVA_MODE_DEDICATED)
		held_by_another();
	unbound();
	unmapped();
	return done();
}

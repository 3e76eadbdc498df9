/* SPDX-License-Identifier: MIT */
/* Starts the program in a presentation of the device. */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "emu/ptrace/tracer.h"
#include "emu/run/attrfs.h"
#include "emu/run/launch.h"
#include "emu/run/modules.h"

const enum emu_present emu_launch_order[3] = {
	EMU_PRESENT_NAMESPACE, EMU_PRESENT_USER_NAMESPACE, EMU_PRESENT_REDIRECT,
};

static void add_option(const char *name, const char *option)
{
	const char *before = getenv(name);
	char value[4096];

	snprintf(value, sizeof(value), "%s%s%s", before ? before : "", before && *before ? ":" : "",
		 option);
	setenv(name, value, 1);
}

int emu_launch_environment(const struct emu_state *state)
{
	setenv(EMU_ENV_DIR, state->opt.dir, 1);
	/* programs that print times note with them that they are emulated */
	setenv("SVA_EMU", "1", 1);
	return emu_modules_offer(state);
}

/*
 * LD_PRELOAD names a link in the directory of the run, as a blank or a colon in a path cannot be
 * quoted there.
 */
int emu_launch_preload(const struct emu_state *state, const char *library)
{
	const char *before = getenv("LD_PRELOAD");
	char link[200], value[4096], others[3000], *one, *save;
	size_t len;

	snprintf(link, sizeof(link), "%s/libsva-emu.so", state->opt.dir);
	if (symlink(library, link))
		return -errno;
	len = (size_t)snprintf(value, sizeof(value), "%s", link);
	/* In a run within a run only the inner one counts. */
	snprintf(others, sizeof(others), "%s", before ? before : "");
	for (one = strtok_r(others, ": ", &save); one; one = strtok_r(NULL, ": ", &save))
		if (!strstr(one, "/libsva-emu.so"))
			len += (size_t)snprintf(value + len, sizeof(value) - len, ":%s", one);
	setenv("LD_PRELOAD", value, 1);
	/* AddressSanitizer refuses to be the second library, but works as such. */
	add_option("ASAN_OPTIONS", "verify_asan_link_order=0");
	/*
	 * ThreadSanitizer refuses threads in the child of a fork. Engine threads do nothing that it
	 * checks.
	 */
	if (state->opt.async)
		add_option("TSAN_OPTIONS", "die_after_fork=0");
	return 0;
}

/*
 * What the child sends: one message, with the FUSE descriptor if there is one; later one with an
 * error, if there is one.
 */
struct message {
	int error;               /* an errno, or 0 */
	bool ready;              /* the child is ready to be traced, and waits for an answer */
	bool from_exec;
	struct emu_obstacle why;
};

static void send_message(int sock, const struct message *message, int fd)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec iov = { (void *)message, sizeof(*message) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (fd >= 0) {
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control);
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	}
	sendmsg(sock, &msg, MSG_NOSIGNAL);
}

/* False when the child has become the program. */
static bool receive_message(int sock, struct message *message, int *fd)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = { message, sizeof(*message) };
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = &control,
			     .msg_controllen = sizeof(control)};
	ssize_t got;

	do {
		got = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	} while (got < 0 && errno == EINTR);
	*fd = -1;
	if (got == sizeof(*message) && msg.msg_controllen >= CMSG_LEN(sizeof(int)))
		memcpy(fd, CMSG_DATA(&control.header), sizeof(*fd));
	return got == sizeof(*message);
}

/* In the child: make the namespace and the mounts in it. */
static int make_presentation(struct emu_state *state, enum emu_present present, int sock,
			     struct message *message)
{
	struct message none = { 0 };
	const char *root = state->opt.root;
	char sys[300];
	int fd = -1, ret;

	snprintf(sys, sizeof(sys), "%s/sys", state->opt.dir);
	ret = present == EMU_PRESENT_REDIRECT ? 0 : emu_present_enter(present, &message->why);
	if (ret)
		return ret;
#ifdef HAVE_FUSE
	if (present != EMU_PRESENT_REDIRECT)
		fd = emu_present_fuse(sys, &none.why);
#endif
	send_message(sock, &none, fd);
	state->opt.redirect = present == EMU_PRESENT_REDIRECT;
	state->opt.plain_attrs = fd < 0;
	if (present == EMU_PRESENT_REDIRECT) {
		emu_present_lists(state);
		return 0;
	}
	if (fd >= 0)
		close(fd);
	else
		snprintf(sys, sizeof(sys), "%s/sys", root);
	return emu_present_mount(state, sys, root, &message->why);
}

/* Report that the child is ready, and continue when the tracer has attached. */
static int become_traced(int sock)
{
	struct message ready = { .ready = true };
	char go;

	send_message(sock, &ready, -1);
	return read(sock, &go, 1) == 1 ? emu_tracer_filter() : -EIO;
}

static void __attribute__((noreturn))
run_child(struct emu_state *state, enum emu_present present, char **command, int sock)
{
	struct message message = { 0 };

	message.error = -make_presentation(state, present, sock, &message);
	if (message.error == 0 && command && state->opt.ptrace) {
		message.error = -become_traced(sock);
		snprintf(message.why.text, sizeof(message.why.text), "tracing: %s",
			 strerror(message.error));
	}
	if (message.error == 0 && command) {
		execvp(command[0], command);
		message.error = errno;
		message.from_exec = true;
	}
	if (message.error)
		send_message(sock, &message, -1);
	_exit(message.error ? 126 : 0);
}

static void start_server(struct emu_state *state, int fd, struct emu_child *child)
{
	child->fuse = true;
	child->server = fork();
	if (child->server == 0) {
		signal(SIGINT, SIG_IGN);
		signal(SIGQUIT, SIG_IGN);
		emu_attrfs_serve(state, state->opt.root, fd);
	}
	close(fd);
}

int emu_launch(struct emu_state *state, enum emu_present present, char **command,
	       struct emu_child *child)
{
	struct message message = { 0 };
	int pair[2], fd = -1, status;

	*child = (struct emu_child){ .present = present };
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return -errno;
	fflush(NULL);
	child->pid = fork();
	if (child->pid < 0) {
		close(pair[0]);
		close(pair[1]);
		return -errno;
	}
	if (child->pid == 0) {
		close(pair[0]);
		run_child(state, present, command, pair[1]);
	}
	close(pair[1]);
	while (receive_message(pair[0], &message, &fd)) {
		if (message.error)
			break;
		if (message.ready) {
			int ret = emu_tracer_attach(child->pid);

			if (ret) {
				snprintf(child->why.text, sizeof(child->why.text), "ptrace: %s",
					 strerror(-ret));
				kill(child->pid, SIGKILL);
				message = (struct message){ .error = -ret, .why = child->why };
				break;
			}
			if (write(pair[0], "g", 1) != 1)
				break;
			continue;
		}
		child->why = message.why; /* why there is no FUSE: not an error */
		if (fd >= 0)
			start_server(state, fd, child);
	}
	close(pair[0]);
	if (!message.error)
		return 0;
	waitpid(child->pid, &status, 0);
	child->pid = 0;
	emu_launch_finish(child);
	if (message.from_exec)
		child->error = message.error;
	else
		child->why = message.why;
	return -message.error;
}

void emu_launch_finish(struct emu_child *child)
{
	if (child->server <= 0)
		return;
	kill(child->server, SIGKILL);
	waitpid(child->server, NULL, 0);
	child->server = 0;
}

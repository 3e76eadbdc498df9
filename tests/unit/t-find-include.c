/* SPDX-License-Identifier: MIT */
/* "include" in libsva.conf: what an included file may hold, and how its errors are reported. */
#include <stdlib.h>
#include <unistd.h>

#include "tap.h"
#include "unit/scene.h"

static struct sva_config config;

/* Loads this text as libsva.conf, with at most one variable ("NAME=VALUE"). */
static int load_with(const char *file, const char *variable)
{
	struct sva_opts opts = SVA_OPTS_INIT;
	int err;

	scene_file("etc/libsva.conf", file);
	scene_clear_environment();
	scene_forget();
	if (variable)
		putenv((char *)variable);
	opts.log = scene_log;
	err = sva_config_load(&config, &opts);
	scene_clear_environment();
	unlink("etc/libsva.conf");
	return err;
}

/* Loading must work and give this value. */
static void gives(int err, const char *key, const char *want, const char *name)
{
	if (ok(!err, "%s: loads", name))
		tap_is(strcmp(sva_config_key(&config, key), want), 0, __FILE__, __LINE__,
		       "%s: %s is '%s'", name, key, want);
	if (!err)
		sva_config_free(&config);
}

/* Loading must fail with this error and a message that has both parts. */
static void fails(int err, int want, const char *part, const char *other, const char *name)
{
	is_rc(err, want, name);
	ok(scene_said(part) && scene_said(other), "%s: the message has '%s' and '%s'", name, part,
	   other);
	if (!err)
		sva_config_free(&config);
}

/* Loads a file that includes etc/more.conf of the scene, which holds this text; NULL: no file. */
static int load_including(const char *before, const char *more, const char *after,
			  const char *variable)
{
	char text[2048];
	int err;

	if (more)
		scene_file("etc/more.conf", more);
	snprintf(text, sizeof(text), "%sinclude = %s/etc/more.conf\n%s", before, scene_root(),
		 after);
	err = load_with(text, variable);
	unlink("etc/more.conf");
	return err;
}

static void test_include(void)
{
	char again[1024];

	subject("an included file");
	gives(load_including("log = info\n", "# measured\nthreshold = 64k\n", "", NULL),
	      "threshold", "65536", "a setting of the included file");
	gives(load_including("", "threshold = 64k\n", "log = info\n", NULL), "log", "info",
	      "a setting behind the include");
	gives(load_including("", "", "", NULL), "threshold", "16384", "an empty one");
	gives(load_including("", "threshold = 64k\n", "", "SVA_THRESHOLD=1k"), "threshold", "1024",
	      "the environment overrides its tuning");
	fails(load_including("", "\npaths = soft,cpu\n", "", "SVA_PATHS=write"), -EACCES,
	      "SVA_PATHS: 'write' is not permitted", "etc/more.conf:2: paths says 'soft,cpu'",
	      "the environment cannot widen its permissions");
	fails(load_including("", "log = info\ncolour = red\n", "", NULL), -EBADMSG,
	      "etc/more.conf:2: unknown key 'colour'", "libsva.conf:1: include: ",
	      "an unknown key in its second line");
	fails(load_including("\n", "threshold = lots\n", "", NULL), -EBADMSG,
	      "etc/more.conf:1: threshold: 'lots' is not", "libsva.conf:2: include: ",
	      "a bad value in it");
	fails(load_including("threshold = 1k\n", "threshold = 2k\n", "", NULL), -EBADMSG,
	      "etc/more.conf:1: threshold: was set in ", "libsva.conf:1 already",
	      "a key that was set before the include");
	fails(load_including("", "\nthreshold = 2k\n", "threshold = 1k\n", NULL), -EBADMSG,
	      "libsva.conf:2: threshold: was set in ", "etc/more.conf:2 already",
	      "a key that is set again behind the include");
	fails(load_including("", "include = /etc/third.conf\n", "", NULL), -EBADMSG,
	      "etc/more.conf:1: include: a file that is included cannot include another",
	      "libsva.conf:1: include: ", "an include in it");
	snprintf(again, sizeof(again), "include = %s/etc/more.conf\n", scene_root());
	fails(load_including("", "", again, NULL), -EBADMSG, "libsva.conf:2: include: ",
	      "was included already", "a second include");
	fails(load_including("log = info\n", NULL, "", NULL), -EBADMSG,
	      "libsva.conf:2: include: ", "etc/more.conf does not exist",
	      "a file that does not exist");
	fails(load_with("include = etc/more.conf\n", NULL), -EBADMSG,
	      "libsva.conf:1: include: 'etc/more.conf' is not an absolute path", "",
	      "a relative path");
	fails(load_with("include =\n", NULL), -EBADMSG,
	      "libsva.conf:1: include: '' is not an absolute path", "", "no path");
	fails(load_with("include = /\n", NULL), -EBADMSG, "/: not a regular file",
	      "libsva.conf:1: include: ", "a directory instead of it");
	fails(load_including("", "log = info\r\n", "", NULL), -EBADMSG,
	      "etc/more.conf:1: control character 0x0d", "libsva.conf:1: include: ",
	      "a carriage return in it");
}

int main(void)
{
	if (chdir(scene_root()))
		return 1;
	test_include();
	return done();
}

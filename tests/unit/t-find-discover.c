/* SPDX-License-Identifier: MIT */
/*
 * Discovery with the real plug-ins, and the real libaccel-config, on trees of files that look like
 * other machines.
 */
#include <unistd.h>

#include "tap.h"
#include "unit/scene.h"

static struct sva_config config;
static struct sva_inventory *inventory;

static void forget(void)
{
	sva_inventory_free(inventory);
	inventory = NULL;
}

/* Looks around in the scene with these plug-ins. */
static int discover(const char *plugins)
{
	struct sva_opts opts = SVA_OPTS_INIT;
	int err;

	forget();
	scene_forget();
	opts.log = scene_log;
	setenv("SVA_PLUGINS", plugins, 1);
	err = sva_config_load(&config, &opts);
	if (!err)
		err = sva_discover(&config, &inventory);
	sva_config_free(&config);
	return err;
}

static bool look(const char *tree)
{
	scene_tree(tree);
	return ok(!discover("dsa"), "looking at %s", tree);
}

static const struct sva_queue *find(const char *name)
{
	static const struct sva_queue none = {
		.node = (char *)"", .label = (char *)"", .reason = 0xffff};
	const struct sva_queue *q = sva_inventory_find(inventory, name);

	ok(q != NULL, "there is a queue %s", name);
	return q ? q : &none;
}

static void reason_is(const char *queue, uint32_t reason)
{
	is(find(queue)->reason, reason, sva_reason_text(reason));
}

static bool has_problem(const char *part)
{
	for (unsigned int i = 0; i < inventory->problem_count; i++)
		if (strstr(inventory->problems[i], part))
			return true;
	for (unsigned int i = 0; i < inventory->problem_count; i++)
		printf("# problem: %s\n", inventory->problems[i]);
	return false;
}

static void problem_is(const char *part)
{
	ok(has_problem(part), "problem: %s", part);
}

/* ------------------------------------------------------------------ the plug-in "dsa" */

static void test_one_shared(void)
{
	const struct sva_queue *q;

	look("one-shared");
	is(inventory->queue_count, 1, "one queue");
	is(inventory->problem_count, 0, "no problem");
	q = find("wq0.0");
	is_str(q->device, "dsa0", "device");
	is_str(q->plugin, "dsa", "plug-in");
	is_str(q->node, "/dev/dsa/wq0.0", "node");
	is_str(q->label, "sva", "label");
	is(q->version, 0x100, "version");
	is(q->mode, SVA_MODE_SHARED, "mode");
	is(q->entries, 16, "entries");
	is(q->threshold, 16, "threshold");
	is(q->max_transfer, 2 << 20, "max_transfer");
	is(q->max_batch, 32, "max_batch");
	is(q->numa_node, 0, "node");
	is(q->gen_cap, 0x40915f010f, "gen_cap");
	is(q->op_cap[0], 0x1003f03ff, "op_cap");
	is(q->op_cap[1] | q->op_cap[2] | q->op_cap[3], 0, "its upper words");
	is(q->trust, SVA_TRUST_YES, "trust");
	ok(!q->block_on_fault, "block_on_fault");
	is_reason(q->reason, SVA_REASON_OK, "usable");
	ok(sva_inventory_find(inventory, "dsa0/wq0.0") == q &&
		   sva_inventory_find(inventory, "/dev/dsa/wq0.0") == q,
	   "it is found by its device and by its node, too");
	ok(!sva_inventory_find(inventory, "dsa0") && !sva_inventory_find(inventory, "dsa1/wq0.0") &&
		   !sva_inventory_find(inventory, "/dev/dsa/wq0.1") &&
		   !sva_inventory_find(inventory, ""),
	   "and by nothing else");
	ok(sva_cpu_features() == (SVA_CPU_ENQCMD | SVA_CPU_MOVDIR64B | SVA_CPU_WAITPKG),
	   "the CPU has all that it takes");
}

static void test_machines(void)
{
	look("two-sockets");
	is(inventory->queue_count, 2, "two queues");
	is(find("wq0.0")->numa_node, 0, "one on node 0");
	is(find("wq2.0")->numa_node, 1, "one on node 1");
	ok(find("wq2.0")->block_on_fault, "which blocks on faults");
	is_str(inventory->queues->name, "wq0.0", "in the order of discovery");

	look("mixed-modes");
	is(inventory->queue_count, 4, "four queues");
	is(find("wq0.1")->mode, SVA_MODE_DEDICATED, "one is dedicated");
	is(find("wq0.1")->entries, 32, "with its own size");
	is(find("wq0.1")->threshold, 0, "and no threshold");
	reason_is("wq0.1", SVA_REASON_OK);
	reason_is("wq0.2", SVA_REASON_NO_NODE);
	is_str(find("wq0.2")->node, "", "no node");
	reason_is("wq0.3", SVA_REASON_QUEUE_DISABLED);
	is(find("wq0.3")->entries, 0, "a queue that nobody configured has no entries");

	look("dsa2");
	is(find("wq0.0")->version, 0x200, "version 2");
	is(find("wq0.0")->op_cap[0], 0x1f & (0x1d | 2),
	   "what the administrator took away is not there; batch is left");

	look("old-kernel");
	is(find("wq0.0")->op_cap[0], 0x1003f03ff, "op_cap of an older kernel");
	is(find("wq0.0")->op_cap[1], 0, "its second word");
}

static void test_reasons(void)
{
	look("disabled-queue");
	reason_is("wq0.0", SVA_REASON_QUEUE_DISABLED);
	look("disabled-device");
	reason_is("wq0.0", SVA_REASON_DEVICE_DISABLED);
	look("halted-device");
	reason_is("wq0.0", SVA_REASON_DEVICE_DISABLED);
	look("kernel-type");
	reason_is("wq0.0", SVA_REASON_WRONG_TYPE);
	look("no-iommu");
	reason_is("wq0.0", SVA_REASON_NO_IOMMU);
	look("no-driver");
	is(inventory->queue_count, 0, "no queues");
	is_reason(inventory->reason, SVA_REASON_NO_DRIVER, "no driver");
	problem_is("plug-in dsa: the idxd driver is not loaded");
	look("no-device");
	is_reason(inventory->reason, SVA_REASON_NO_DEVICE, "no device");
	problem_is("plug-in dsa: the idxd driver is loaded, but it has no device");
}

/* Versions before 4.1 find nothing; later ones find the queue. */
static void test_readonly(void)
{
	look("readonly");
	if (inventory->queue_count) {
		reason_is("wq0.0", SVA_REASON_OK);
		return;
	}
	is_reason(inventory->reason, SVA_REASON_SYSFS_READONLY,
	   "a read-only /sys is told from one without devices");
	problem_is("plug-in dsa: /sys is read-only");
}

static void test_iax(void)
{
	look("iax-beside");
	is(inventory->queue_count, 3, "queues of both kinds");
	is_str(find("wq1.0")->device, "iax1", "an analytics accelerator");
	is_str(find("wq1.0")->node, "/dev/iax/wq1.0", "has its own directory of nodes");
	is(find("wq1.0")->op_cap[0], 0x405, "cannot copy");
	is(find("wq1.0")->op_cap[1], 0x4d001c, "but has other operations");
	is(find("wq1.0")->max_batch, 1, "has no batches");
	is(find("iax3/wq3.0")->op_cap[0], 5,
	   "one that does not tell what it can is not taken for a DSA");
	is(find("iax3/wq3.0")->numa_node, -1, "nor does it have a node");
	is(find("iax3/wq3.0")->gen_cap, 0, "nor capabilities");
}

static void test_trust(void)
{
	look("untrusted");
	is(find("dsa0/wq0.0")->trust, SVA_TRUST_NO, "removable");
	is(find("dsa1/wq1.0")->trust, SVA_TRUST_NO, "shares its IOMMU group");
	is(find("dsa2/wq2.0")->trust, SVA_TRUST_UNKNOWN, "no IOMMU group to look at");
	is(find("dsa3/wq3.0")->trust, SVA_TRUST_NO, "behind an external port");
}

static void test_hostile(void)
{
	look("hostile");
	problem_is("plug-in dsa: queue wq0.1 refused: the field max_transfer makes no sense");
	problem_is("plug-in dsa: queue wq0.2 refused: the field threshold makes no sense");
	problem_is("plug-in dsa: queue wq0.3 refused: the field entries makes no sense");
	problem_is("plug-in dsa: queue wq0.6\\x1b[31m refused: the field name makes no sense");
	problem_is("plug-in dsa: queue wq1.0 refused: the field version makes no sense");
	problem_is("plug-in dsa: dsa2: the type or mode of a queue can not be read");
	for (unsigned int i = 0; i < inventory->problem_count; i++)
		ok(!strchr(inventory->problems[i], '\033'),
		   "nothing in problem %u moves a terminal", i);
	ok(!sva_inventory_find(inventory, "wq0.1") && sva_inventory_find(inventory, "wq0.7"),
	   "the good queue is still there");
	is_str(find("wq3.0")->label, "Prüfstand 3", "a label may have more than ASCII");
	is(find("wq3.0")->op_cap[0] | find("wq3.0")->gen_cap, 0,
	   "capabilities that can not be read are unknown");
}

/* The name that an administrator gave to a queue is no reason to refuse it. */
static void test_any_names(void)
{
	static const char *const labels[] = {
		"a\tb",	     "a\nb",	   "\xff\xc0\x80z",
		NULL,	     "say \"\\\"", "\xc2\x9b\033[31m\xe2\x80\xae",
		"Prüfstand",
	};
	char name[16];

	look("any-names");
	is(inventory->problem_count, 0, "names of queues make no problems");
	is(inventory->queue_count, 7, "all queues are there");
	for (unsigned int i = 0; i < 7; i++) {
		snprintf(name, sizeof(name), "wq0.%u", i);
		/* From 4.0 on libaccel-config cuts a name off at a newline. */
		if (i == 1 && !strcmp(find(name)->label, "a"))
			skip("a name of any bytes is a label as it is",
			     "this libaccel-config ends names at a newline");
		else if (labels[i])
			is_str(find(name)->label, labels[i],
			       "a name of any bytes is a label as it is");
		else
			ok(strlen(find(name)->label) >= 1000 &&
				   !find(name)->label[strspn(find(name)->label, "x")],
			   "a name that is too long is cut");
	}
	reason_is("wq0.0", SVA_REASON_OK);
	reason_is("wq0.6", SVA_REASON_QUEUE_DISABLED);
}

/* /sys that shows nothing says nothing about the driver. */
static void test_hidden(void)
{
	look("no-sysfs");
	is_reason(inventory->reason, SVA_REASON_SYSFS_HIDDEN,
		  "/sys is not mounted: that is the reason");
	problem_is("plug-in dsa: /sys is empty, not mounted or not readable here");
	look("empty-sysfs");
	is_reason(inventory->reason, SVA_REASON_SYSFS_HIDDEN, "/sys is empty: that is the reason");
	look("unreadable-bus");
	is_reason(inventory->reason, SVA_REASON_SYSFS_HIDDEN,
	   "/sys/bus/dsa cannot be read: that is the reason");
	problem_is(
		"plug-in dsa: /sys/bus/dsa/devices cannot be read: Too many levels of symbolic links");
}

static void test_refused_beside(void)
{
	look("refused-beside-disabled");
	is_reason(inventory->reason, SVA_REASON_QUEUE_REFUSED,
		  "a refused queue is a reason of its own");
	is_reason(sva_inventory_reason(inventory, SVA_REASON_QUEUE_DISABLED),
		  SVA_REASON_QUEUE_REFUSED,
		  "that another queue is disabled does not explain why this one is not used");
	is_reason(sva_inventory_reason(inventory, SVA_REASON_NO_PERMISSION),
		  SVA_REASON_NO_PERMISSION, "a queue that is nearer to working does");
	look("disabled-queue");
	is_reason(sva_inventory_reason(inventory, SVA_REASON_QUEUE_DISABLED),
		  SVA_REASON_QUEUE_DISABLED,
		  "without a refused queue, a disabled one is the reason");
}

/* ----------------------------------------------------------------- the plug-in "file", and both */

static void look_at_list(const char *list)
{
	char path[600];

	scene_file("etc/queues", list);
	snprintf(path, sizeof(path), "%s/etc/queues", scene_root());
	setenv("SVA_QUEUE_FILE", path, 1);
}

static void test_file(void)
{
	const struct sva_queue *q;

	scene_tree(NULL);
	is(discover("file"), 0, "no list of queues");
	is(inventory->queue_count + inventory->problem_count, 0, "no queue, no problem");
	is_reason(inventory->reason, SVA_REASON_NO_DEVICE, "no device");
	look_at_list(
		"# a list\nwq0.0 device=dsa0 node=/dev/dsa/wq0.0 mode=shared entries=64 threshold=60 max-transfer=2M "
		"max-batch=128 numa=1 version=0x200 gen-cap=0x40915f010f op-cap=0x1003f03ff block-on-fault=yes label=main\n"
		"\tq1\tdevice=other mode=dedicated entries=8\n");
	is(discover("file"), 0, "a list of queues");
	is(inventory->queue_count, 2, "two queues");
	q = find("wq0.0");
	ok(q->mode == SVA_MODE_SHARED && q->entries == 64 && q->threshold == 60 &&
		   q->max_transfer == 2 << 20 && q->max_batch == 128 && q->numa_node == 1 &&
		   q->version == 0x200 && q->gen_cap == 0x40915f010f &&
		   q->op_cap[0] == 0x1003f03ff && q->block_on_fault,
	   "each key has its field");
	is_str(q->node, "/dev/dsa/wq0.0", "node");
	is_str(q->label, "main", "label");
	is_str(q->plugin, "file", "plug-in");
	is(q->trust, SVA_TRUST_UNKNOWN, "nobody knows whether to trust it");
	q = find("other/q1");
	ok(q->mode == SVA_MODE_DEDICATED && q->entries == 8 && q->max_transfer == 2 << 20 &&
		   q->numa_node == -1 && !*q->node,
	   "defaults");
	look_at_list("wq0.0 device=dsa0 mode=shared\nwq0.1 device=dsa0\n");
	is(discover("file"), 0, "a list with a mistake");
	is(inventory->queue_count, 0, "nothing of it is used");
	problem_is("etc/queues:2: the queue has no mode=shared or mode=dedicated");
	ok(scene_said("plug-in file: "), "there is a message");
	is_reason(inventory->reason, SVA_REASON_PLUGIN, "the reason is the plug-in");
}

static void test_both(void)
{
	scene_tree("one-shared");
	look_at_list(
		"wq0.0 device=dsa0 mode=dedicated entries=16\nmain device=x node=/dev/dsa/wq0.0 mode=shared\n"
		"wq9.0 device=dsa9 mode=shared\n");
	is(discover("dsa,file"), 0, "two plug-ins");
	is(inventory->queue_count, 2, "a queue that both report is there once");
	is_str(find("wq0.0")->plugin, "dsa", "from the first plug-in");
	ok(!sva_inventory_find(inventory, "main"), "the same node is the same queue");
	is_str(find("wq9.0")->plugin, "file", "the other one from the second");
	is(inventory->problem_count, 0, "which is no problem");
	is(discover("file,dsa"), 0, "the other way round");
	is(find("wq0.0")->mode, SVA_MODE_DEDICATED, "the first one counts");
	unsetenv("SVA_QUEUE_FILE");
	is(discover("absent,dsa"), 0, "a plug-in that is not there");
	problem_is("plug-in absent: not installed: there is no ");
	is(inventory->queue_count, 1, "keeps no other from being used");
	is(discover("absent"), 0, "alone");
	is_reason(inventory->reason, SVA_REASON_PLUGIN, "it is the reason");
}

/* -------------------------------------------- a plug-in that misbehaves, and the host's answers */

static int (*misbehave)(const struct sva_accfg_host *host);
static int fake_result;

static int fake_enumerate(const struct sva_accfg_host *host)
{
	return misbehave(host);
}

int __real_sva_plugin_load(const char *path, const struct sva_accfg_plugin **plugin, char *why,
			   size_t why_size);
int __wrap_sva_plugin_load(const char *path, const struct sva_accfg_plugin **plugin, char *why,
			   size_t why_size);

int __wrap_sva_plugin_load(const char *path, const struct sva_accfg_plugin **plugin, char *why,
			   size_t why_size)
{
	static const struct sva_accfg_plugin fake = {sizeof(fake), "fake", "misbehaves",
						     fake_enumerate};

	if (!strstr(path, "/fake.so"))
		return __real_sva_plugin_load(path, plugin, why, why_size);
	*plugin = &fake;
	return 0;
}

static struct sva_accfg_queue fake_queue(void)
{
	return (struct sva_accfg_queue){ .size = sizeof(struct sva_accfg_queue),
					 .name = "q",
					 .device = "d",
					 .node = "",
					 .label = "",
					 .entries = 16,
					 .mode = SVA_MODE_SHARED,
					 .numa_node = -1 };
}

static int report_nonsense(const struct sva_accfg_host *host)
{
	struct sva_accfg_queue q = fake_queue();

	ok(host->size == sizeof(*host), "the host tells its size");
	is_rc(host->add_queue(host->ctx, NULL), -EINVAL, "no queue at all");
	q.size = 8;
	q.name = (const char *)1;
	is_rc(host->add_queue(host->ctx, &q), -EINVAL,
	   "a structure that is too short is not looked into");
	q = fake_queue();
	is(host->add_queue(host->ctx, &q), 0, "a queue");
	is_rc(host->add_queue(host->ctx, &q), -EINVAL, "and once more");
	ok(!host->setting(host->ctx, NULL) && !host->setting(host->ctx, "nonsense"),
	   "settings that there are not");
	is_str(host->setting(host->ctx, "paths"), "enqcmd,movdir64b,write,dma,soft,cpu",
	       "one that there is");
	host->problem(host->ctx, 12345, NULL);
	host->problem(host->ctx, SVA_REASON_NO_IOMMU, "\033[31mred");
	return fake_result;
}

static int report_too_much(const struct sva_accfg_host *host)
{
	struct sva_accfg_queue q = fake_queue();
	char name[16];
	int refused = 0;

	q.name = name;
	for (int i = 0; i < 4100; i++) {
		snprintf(name, sizeof(name), "q%d", i);
		refused += host->add_queue(host->ctx, &q) == -EINVAL;
	}
	is(refused, 4, "4096 queues are taken, and no more");
	for (int i = 0; i < 300; i++)
		host->problem(host->ctx, SVA_REASON_PLUGIN, "again");
	return 0;
}

static void test_misbehaviour(void)
{
	scene_tree(NULL);
	misbehave = report_nonsense;
	fake_result = -EIO;
	is(discover("fake"), 0, "a plug-in that misbehaves and fails");
	is(inventory->queue_count, 1, "what was good of it is kept");
	is(inventory->queues->threshold, 16, "a threshold that is not told is all entries");
	is(inventory->queues->max_transfer, 2 << 20, "max_transfer that is not told");
	is(inventory->queues->max_batch, 1, "max_batch that is not told");
	is_reason(inventory->reason, SVA_REASON_NO_IOMMU, "the most telling reason");
	problem_is("plug-in fake: queue without a name refused: the field size");
	problem_is("plug-in fake: queue q of device d refused: it has the name or the node of d/q");
	problem_is("plug-in fake: \\x1b[31mred");
	problem_is("plug-in fake: failed: Input/output error");
	fake_result = EPERM;
	is(discover("fake"), 0, "one that returns a positive errno");
	problem_is("plug-in fake: failed: Operation not permitted");
	misbehave = report_too_much;
	is(discover("fake"), 0, "one that can not stop");
	is(inventory->queue_count, 4096, "many queues");
	is(inventory->problem_count, 256, "many problems");
	is_str(inventory->problems[255], "more problems were left out",
	       "the last one says that there were more");
}

static void test_no_memory(void)
{
	unsigned int n, wrong = 0;
	int err = -ENOMEM;

	scene_tree("hostile");
	for (n = 1; n < 1000 && err == -ENOMEM; n++) {
		scene_fail_allocation(n);
		err = discover("dsa");
		scene_fail_allocation(0);
		wrong += err && err != -ENOMEM;
	}
	ok(!err && !wrong && n > 30, "each of %u allocations may fail", n - 2);
}

/* Nothing of the user's settings, but the directory of the plug-ins that were just built. */
static void clear_environment(void)
{
	char *directory = strdup(getenv("SVA_PLUGIN_DIR"));

	scene_clear_environment();
	setenv("SVA_PLUGIN_DIR", directory, 1);
	free(directory);
}

int main(void)
{
	char path[600];

	scene_root();
	clear_environment();
	snprintf(path, sizeof(path), "%s/dsa.so", getenv("SVA_PLUGIN_DIR"));
	if (access(path, R_OK))
		skip("the plug-in \"dsa\"", "this build has no libaccel-config");
	else {
		test_one_shared();
		test_machines();
		test_reasons();
		test_readonly();
		test_iax();
		test_trust();
		test_hostile();
		test_any_names();
		test_hidden();
		test_refused_beside();
		test_both();
		test_no_memory();
	}
	test_file();
	test_misbehaviour();
	forget();
	return done();
}

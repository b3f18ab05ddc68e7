/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/sandbox.h"

#include <unistd.h>
#include <linux/capability.h>
#include "sandbox/ask_child.h"
#include "sandbox/measures.h"

static const char *const names[SANDBOX_MEASURES] = {
	[SANDBOX_DESCRIPTORS] = "only the descriptors in use",
	[SANDBOX_ROOT] = "an empty root directory",
	[SANDBOX_BOUNDING] = "an empty bounding set",
	[SANDBOX_GROUPS] = "no supplementary groups",
	[SANDBOX_IDENTITY] = "another user",
	[SANDBOX_CAPABILITIES] = "no capabilities",
	[SANDBOX_NO_NEW_PRIVS] = "no new privileges",
	[SANDBOX_NO_DUMP] = "no core dumps",
	[SANDBOX_LIMITS] = "no new processes and descriptors",
	[SANDBOX_CALLS] = "few system calls",
};

const char *sandbox_measure_name(enum sandbox_measure measure)
{
	return names[measure];
}

static const char *capability_name(int capability)
{
	switch (capability) {
	case CAP_BPF:
		return "CAP_BPF";
	case CAP_SYS_ADMIN:
		return "CAP_SYS_ADMIN";
	default:
		return NULL;
	}
}

static void note(struct sandbox_report *report, enum sandbox_measure measure, const char *without)
{
	report->without[measure] = without;
}

int sandbox_enter(const struct sandbox_plan *plan, struct sandbox_report *report,
		  struct error *error)
{
	const char *without;
	int capability = -1;

	memset(report, 0, sizeof(*report));
	if (plan->maps != SANDBOX_MAPS_NONE && capability_to_read(plan->map, &capability))
		return fail(error, "the BPF maps cannot be read: %s", strerror(errno));
	report->kept = capability_name(capability);

	note(report, SANDBOX_DESCRIPTORS, give_up_descriptors(plan));
	note(report, SANDBOX_ROOT, give_up_root());
	note(report, SANDBOX_BOUNDING, give_up_bounding_set());
	note(report, SANDBOX_GROUPS, give_up_groups());
	without = give_up_identity(&plan->user, capability >= 0);
	note(report, SANDBOX_IDENTITY, without);
	if (without && plan->user.asked)
		return fail(error, "--user: cannot become that user: %s", without);
	without = give_up_capabilities(capability);
	if (without)
		return fail(error, "cannot give up the capabilities: %s", without);
	note(report, SANDBOX_NO_NEW_PRIVS, give_up_new_privileges());
	/* After the change of user, which sets it anew. */
	note(report, SANDBOX_NO_DUMP, give_up_dumps());
	note(report, SANDBOX_LIMITS, give_up_limits());
	note(report, SANDBOX_CALLS, give_up_calls(plan->maps));
	return 0;
}

/* What the child that tries writes; its strings are this program's, at the same addresses. */
struct trial {
	int failed;
	struct sandbox_report report;
	struct error error;
};

/* What it tries with. */
struct trial_of {
	const struct sandbox_user *user;
	int map;
};

static void try_all(void *context, int out)
{
	const struct trial_of *of = context;
	const struct sandbox_plan plan = {
		.user = *of->user,
		.fds = &of->map,
		.fd_count = of->map >= 0,
		.maps = of->map >= 0 ? SANDBOX_MAPS_READ : SANDBOX_MAPS_NONE,
		.map = of->map,
	};
	struct trial trial = {0};

	dup2(out, STDOUT_FILENO);
	trial.failed = sandbox_enter(&plan, &trial.report, &trial.error);
	_exit(write(STDOUT_FILENO, &trial, sizeof(trial)) != sizeof(trial));
}

int sandbox_describe(const struct sandbox_user *user, int map, struct sandbox_report *report,
		     struct error *error)
{
	struct trial_of of = {user, map};
	struct trial trial;
	int status = 0, failed = ask_child(try_all, &of, &trial, sizeof(trial), &status, error);

	if (failed < 0)
		error_set(error, "the process that tried did not answer (status %#x)", status);
	if (failed)
		return 1;
	if (trial.failed)
		return fail(error, "%s", trial.error.line);
	*report = trial.report;
	return 0;
}

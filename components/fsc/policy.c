/* The policy that is in force: read at the start, and again when its file changes. */
#include "components/fsc/policy.h"

#include <string.h>
#include <sys/stat.h>

#include "components/fsc/internal.h"
#include "components/fsc/policy_node.h"
#include "core/base/error.h"

#define LOOK_US G_TIME_SPAN_SECOND
#define JUDGE_AGAIN_US (60 * G_TIME_SPAN_SECOND)

struct policies {
    Fsc *fsc;
    const char *path; /* NULL: no file */
    char *built_in;
    GMutex lock;
    Policy *current;
    guint64 stamp; /* of the file when it was read last, well or not */
    gint64 looked_us;
    gboolean stale;
    gboolean all_judged; /* every contract that waits has been judged at least once */
    char *judged_by;     /* the edition with which the job looked last, and when */
    gint64 judged_us;
    guint64 loads, failures;
    guint64 decided[POLICY_DECISION_COUNT]; /* logged, since the start */
    guint64 asked_permit, asked_denied, asked_failed, unlogged;
};

/* --- the rules that node.conf makes --- */

static void add_publications(GString *out)
{
    g_string_append(out, "[rule.node.accept_publications]\n"
                         "decide = accept\n"
                         "grant = publication delegated_publication\n"
                         "service = *\n"
                         "service_peer = *\n"
                         "delegator = none *\n"
                         "directory = self\n"
                         "properties = *\n");
}

/* A connection on behalf of another, and one to a service offered on behalf of another, wait for a person:
 * the key names consumers only. */
static void add_service(GString *out, const Config *config, const char *name)
{
    g_autofree char *section = g_strconcat("service.", name, NULL);
    const char *const *accepted = config_list(config, section, "accept");
    if (*accepted == NULL)
        return;
    g_autofree char *peers = g_strjoinv(" ", (char **)accepted);
    g_string_append_printf(out,
                           "[rule.node.service.%s]\n"
                           "decide = accept\n"
                           "grant = connection\n"
                           "service = %s\n"
                           "consumer = %s\n"
                           "properties = *\n",
                           name, name, peers);
}

static char *built_in_of(const Fsc *fsc)
{
    const Config *config = node_config(fsc->node);
    GString *out =
        g_string_new("# What node.conf says: [fsc] accept_publications and [service.NAME] accept.\n");
    if (config_boolean(config, "fsc", "accept_publications"))
        add_publications(out);
    for (const char *const *name = fsc->services; *name != NULL; name++)
        add_service(out, config, *name);
    return g_string_free(out, FALSE);
}

/* --- reading --- */

static guint64 stamp_of(const char *path)
{
    struct stat status;
    if (path == NULL || stat(path, &status) != 0)
        return 0;
    return ((guint64)status.st_mtim.tv_sec * 1000000000 + (guint64)status.st_mtim.tv_nsec) * 31 +
           status.st_ino + (guint64)status.st_size;
}

/* The text of each edition is kept, because decision records name it by digest. */
static gboolean keep(const Policies *policies, const Policy *policy, GError **error)
{
    g_autoptr(Db) db = store_take(node_store(policies->fsc->node), error);
    return db != NULL &&
           db_run(db, error,
                  "INSERT INTO fsc_policies (digest, source, content, first_ms) VALUES (?1, ?2, ?3, ?4) "
                  "ON CONFLICT DO NOTHING",
                  value_text(policy_digest(policy)),
                  value_text(policies->path != NULL ? policies->path : "node.conf"),
                  value_text(policy_text(policy)), value_integer(fsc_now_ms(policies->fsc)));
}

static gboolean needs_point(const Policies *policies, const Policy *policy, GError **error)
{
    if (!policy_asks(policy) ||
        config_text(node_config(policies->fsc->node), "fsc", "decision_point") != NULL)
        return TRUE;
    g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID,
                "%s: a rule asks the decision point, but node.conf has no [fsc] decision_point",
                policies->path);
    return FALSE;
}

static Policy *load(const Policies *policies, GError **error)
{
    g_autofree char *text = NULL;
    gsize length = 0;
    g_autoptr(GPtrArray) faults = g_ptr_array_new_with_free_func(g_free);
    if (policies->path != NULL && !g_file_get_contents(policies->path, &text, &length, error))
        return NULL;
    g_autoptr(Policy) policy =
        policy_parse(policies->path != NULL ? policies->path : "the rules of node.conf",
                     text != NULL ? text : "", length, policies->built_in, faults);
    if (policy == NULL) {
        for (guint i = 0; i < faults->len; i++)
            g_warning("fsc: %s", (const char *)faults->pdata[i]);
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID,
                    "the signing policy has %u faults, the first is %s", faults->len,
                    (const char *)faults->pdata[0]);
        return NULL;
    }
    if (!needs_point(policies, policy, error) || !keep(policies, policy, error))
        return NULL;
    return g_steal_pointer(&policy);
}

Policies *policies_new(Fsc *fsc, GError **error)
{
    Policies *policies = g_new0(Policies, 1);
    policies->fsc = fsc;
    policies->path = config_text(node_config(fsc->node), "fsc", "policy");
    policies->built_in = built_in_of(fsc);
    g_mutex_init(&policies->lock);
    policies->stamp = stamp_of(policies->path);
    policies->looked_us = g_get_monotonic_time();
    policies->current = load(policies, error);
    if (policies->current != NULL)
        return policies;
    policies_free(policies);
    return NULL;
}

void policies_free(Policies *policies)
{
    if (policies == NULL)
        return;
    policy_unref(policies->current);
    g_mutex_clear(&policies->lock);
    g_free(policies->built_in);
    g_free(policies->judged_by);
    g_free(policies);
}

/* Under the lock, so that one thread reads it and the others wait for what it says. */
static void look_again(Policies *policies)
{
    g_autoptr(GError) error = NULL;
    gint64 now_us = g_get_monotonic_time();
    if (policies->path == NULL || now_us - policies->looked_us < LOOK_US)
        return;
    policies->looked_us = now_us;
    guint64 stamp = stamp_of(policies->path);
    if (stamp == policies->stamp)
        return;
    Policy *policy = load(policies, &error);
    if (policy == NULL) {
        policies->stale = TRUE;
        policies->failures++;
        /* What is wrong with the file stays wrong until it changes; a store that is away may be back soon. */
        if (g_error_matches(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID) || error->domain == G_FILE_ERROR)
            policies->stamp = stamp;
        g_warning("fsc: the signing policy is not read again, the edition before it stays in force: %s",
                  error->message);
        return;
    }
    policies->stamp = stamp;
    policies->stale = FALSE;
    policies->loads++;
    policy_unref(policies->current);
    policies->current = policy;
    g_message("fsc: the signing policy %s was read again: %" G_GSIZE_FORMAT " rules, %s", policies->path,
              policy_rule_count(policy), policy_digest(policy));
}

Policy *policies_current(Policies *policies)
{
    g_mutex_lock(&policies->lock);
    look_again(policies);
    Policy *policy = policy_ref(policies->current);
    g_mutex_unlock(&policies->lock);
    return policy;
}

gboolean policies_look_due(Policies *policies, const Policy *policy, gboolean *all)
{
    gint64 now_us = g_get_monotonic_time();
    g_mutex_lock(&policies->lock);
    gboolean due = !policies->all_judged || now_us - policies->judged_us >= JUDGE_AGAIN_US ||
                   g_strcmp0(policies->judged_by, policy_digest(policy)) != 0;
    *all = !policies->all_judged;
    if (due) {
        g_free(policies->judged_by);
        policies->judged_by = g_strdup(policy_digest(policy));
        policies->judged_us = now_us;
        policies->all_judged = TRUE;
    }
    g_mutex_unlock(&policies->lock);
    return due;
}

void policies_look_again(Policies *policies)
{
    g_mutex_lock(&policies->lock);
    policies->all_judged = FALSE;
    g_mutex_unlock(&policies->lock);
}

/* --- figures --- */

void policies_count_decision(Policies *policies, PolicyDecision decision)
{
    g_mutex_lock(&policies->lock);
    policies->decided[decision]++;
    g_mutex_unlock(&policies->lock);
}

void policies_count_unlogged(Policies *policies)
{
    g_mutex_lock(&policies->lock);
    policies->unlogged++;
    g_mutex_unlock(&policies->lock);
}

void policies_count_asked(Policies *policies, const gboolean *permit)
{
    g_mutex_lock(&policies->lock);
    guint64 *count = permit == NULL ? &policies->asked_failed
                     : *permit      ? &policies->asked_permit
                                    : &policies->asked_denied;
    (*count)++;
    g_mutex_unlock(&policies->lock);
}

void policies_metrics(Policies *policies, GString *out)
{
    g_mutex_lock(&policies->lock);
    look_again(policies);
    g_string_append(out,
                    "# HELP fundament_fsc_policy_decisions_total Decisions of the signing policy, logged.\n"
                    "# TYPE fundament_fsc_policy_decisions_total counter\n");
    for (int i = 0; i < POLICY_DECISION_COUNT; i++)
        g_string_append_printf(
            out, "fundament_fsc_policy_decisions_total{decision=\"%s\"} %" G_GUINT64_FORMAT "\n",
            policy_decision_name((PolicyDecision)i), policies->decided[i]);
    g_string_append_printf(
        out,
        "# HELP fundament_fsc_decision_point_answers_total Questions to the decision point, by what came "
        "back.\n"
        "# TYPE fundament_fsc_decision_point_answers_total counter\n"
        "fundament_fsc_decision_point_answers_total{outcome=\"permit\"} %" G_GUINT64_FORMAT "\n"
        "fundament_fsc_decision_point_answers_total{outcome=\"deny\"} %" G_GUINT64_FORMAT "\n"
        "fundament_fsc_decision_point_answers_total{outcome=\"failed\"} %" G_GUINT64_FORMAT "\n"
        "# HELP fundament_fsc_policy_unlogged_total Judgements without effect: the decision log could not be "
        "written.\n"
        "# TYPE fundament_fsc_policy_unlogged_total counter\n"
        "fundament_fsc_policy_unlogged_total %" G_GUINT64_FORMAT "\n"
        "# HELP fundament_fsc_policy_reload_failures_total Policy files that were broken when read again.\n"
        "# TYPE fundament_fsc_policy_reload_failures_total counter\n"
        "fundament_fsc_policy_reload_failures_total %" G_GUINT64_FORMAT "\n"
        "# HELP fundament_fsc_policy_reloads_total Policy files read again.\n"
        "# TYPE fundament_fsc_policy_reloads_total counter\n"
        "fundament_fsc_policy_reloads_total %" G_GUINT64_FORMAT "\n"
        "# HELP fundament_fsc_policy_stale 1 while the policy file is broken and an older edition is in "
        "force.\n"
        "# TYPE fundament_fsc_policy_stale gauge\n"
        "fundament_fsc_policy_stale %d\n",
        policies->asked_permit, policies->asked_denied, policies->asked_failed, policies->unlogged,
        policies->failures, policies->loads, policies->stale ? 1 : 0);
    g_mutex_unlock(&policies->lock);
}

/* --- explaining --- */

const char *policies_path(const Policies *policies)
{
    return policies->path;
}

gboolean policies_stale(Policies *policies)
{
    g_mutex_lock(&policies->lock);
    gboolean stale = policies->stale;
    g_mutex_unlock(&policies->lock);
    return stale;
}

/* Jobs: one thread runs what is due. A lease in the table node_jobs sees to it that of several processes on
 * one store one does. */
#include "core/node/node_private.h"

#include <stdio.h>
#include <unistd.h>

#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/node/housekeeping.h"
#include "core/node/log.h"

#define LEASE_MS 600000  /* 10 minutes: the longest that a job may take */
#define RECHECK_MS 60000 /* another process may have let go of a job */
#define RETRY_MS 30000   /* the store did not answer */

typedef struct {
    const Job *job;
    gpointer context;
    guint64 runs, failures;
    gint64 last_ms; /* when it ended last */
} Task;

struct jobs {
    Node *node;
    GArray *tasks;
    char holder[40];
    GThread *thread;
    GMutex lock; /* figures of the tasks, `stopping` */
    GCond changed;
    gboolean stopping;
};

static void add_tasks(Jobs *jobs, const Job *list, gsize count, gpointer context)
{
    for (gsize i = 0; i < count; i++) {
        Task task = {.job = &list[i], .context = context};
        g_array_append_val(jobs->tasks, task);
    }
}

/* The row of each job, due now: the first run is soon after the start. */
static gboolean enlist(Jobs *jobs, Db *db, GError **error)
{
    gint64 now = clock_now_ms(jobs->node->clock);
    for (guint i = 0; i < jobs->tasks->len; i++) {
        const Task *task = &g_array_index(jobs->tasks, Task, i);
        if (!db_run(db, error,
                    "INSERT INTO node_jobs (name, holder, lease_until_ms, next_run_ms) VALUES (?1, '', 0, ?2)"
                    " ON CONFLICT (name) DO UPDATE SET next_run_ms = ?2",
                    value_text(task->job->name), value_integer(now)))
            return FALSE;
        /* With SQLite there is one process: whoever held the lease has gone. */
        if (!store_is_postgresql(jobs->node->store) &&
            !db_run(db, error, "UPDATE node_jobs SET lease_until_ms = 0 WHERE name = ?1",
                    value_text(task->job->name)))
            return FALSE;
    }
    return TRUE;
}

Jobs *jobs_new(Node *node)
{
    guint8 random[8];
    Jobs *jobs = g_new0(Jobs, 1);
    jobs->node = node;
    g_mutex_init(&jobs->lock);
    g_cond_init(&jobs->changed);
    jobs->tasks = g_array_new(FALSE, TRUE, sizeof(Task));
    random_fill(random, sizeof random);
    g_autofree char *hex = hex_encode(random, sizeof random);
    g_snprintf(jobs->holder, sizeof jobs->holder, "%d-%s", (int)getpid(), hex);
    add_tasks(jobs, housekeeping_jobs, housekeeping_jobs_count, NULL);
    for (guint i = 0; i < node->running->len; i++) {
        const Running *running = &g_array_index(node->running, Running, i);
        add_tasks(jobs, running->component->jobs, running->component->n_jobs, running->context);
    }
    g_autoptr(GError) error = NULL;
    g_autoptr(Db) db = store_take(node->store, &error);
    if (db == NULL || !enlist(jobs, db, &error))
        g_warning("jobs: %s", error->message);
    return jobs;
}

void jobs_free(Jobs *jobs)
{
    g_array_unref(jobs->tasks);
    g_mutex_clear(&jobs->lock);
    g_cond_clear(&jobs->changed);
    g_free(jobs);
}

/* TRUE when the job is due and this process has its lease. */
static gboolean claim(Jobs *jobs, const Task *task, GError **error)
{
    gint64 now = clock_now_ms(jobs->node->clock);
    g_autoptr(Db) db = store_take(jobs->node->store, error);
    return db != NULL &&
           db_run(db, error,
                  "UPDATE node_jobs SET holder = ?1, lease_until_ms = ?2"
                  " WHERE name = ?3 AND next_run_ms <= ?4 AND lease_until_ms <= ?4",
                  value_text(jobs->holder), value_integer(now + LEASE_MS), value_text(task->job->name),
                  value_integer(now)) &&
           db_changes(db) == 1;
}

static gboolean let_go(Jobs *jobs, const Task *task, const char *last_error, GError **error)
{
    gint64 next = clock_now_ms(jobs->node->clock) + (gint64)task->job->interval_s * 1000;
    g_autoptr(Db) db = store_take(jobs->node->store, error);
    return db != NULL && db_run(db, error,
                                "UPDATE node_jobs SET lease_until_ms = 0, next_run_ms = ?1, last_error = ?2"
                                " WHERE name = ?3 AND holder = ?4",
                                value_integer(next), value_text(last_error), value_text(task->job->name),
                                value_text(jobs->holder));
}

static gboolean run_task(Jobs *jobs, Task *task, GError **error)
{
    g_autoptr(GError) failure = NULL;
    gboolean done = task->job->run(jobs->node, task->context, &failure);
    if (!done)
        g_warning("jobs: %s failed and runs again in %u s: %s", task->job->name, task->job->interval_s,
                  failure == NULL ? "no reason given" : failure->message);
    g_mutex_lock(&jobs->lock);
    task->runs++;
    task->failures += done ? 0 : 1;
    task->last_ms = clock_now_ms(jobs->node->clock);
    g_mutex_unlock(&jobs->lock);
    return let_go(jobs, task, done ? NULL : failure == NULL ? "no reason given" : failure->message, error);
}

static gboolean stopping(Jobs *jobs)
{
    g_mutex_lock(&jobs->lock);
    gboolean result = jobs->stopping;
    g_mutex_unlock(&jobs->lock);
    return result;
}

/* How long until the first of our jobs is due, by the table. */
static gint64 until_next(Jobs *jobs, GError **error)
{
    gint64 now = clock_now_ms(jobs->node->clock);
    gint64 wait = RECHECK_MS;
    g_autoptr(Db) db = store_take(jobs->node->store, error);
    for (guint i = 0; db != NULL && i < jobs->tasks->len; i++) {
        g_autoptr(Rows) rows =
            db_query(db, error, "SELECT next_run_ms, lease_until_ms FROM node_jobs WHERE name = ?1",
                     value_text(g_array_index(jobs->tasks, Task, i).job->name));
        if (rows == NULL)
            return RETRY_MS;
        if (rows_next(rows))
            wait = MIN(wait, MAX(rows_integer(rows, 0), rows_integer(rows, 1)) - now);
    }
    return db == NULL ? RETRY_MS : MAX(wait, 0);
}

gint64 jobs_run_due(Jobs *jobs)
{
    g_autoptr(GError) error = NULL;
    for (guint i = 0; i < jobs->tasks->len && error == NULL && !stopping(jobs); i++) {
        Task *task = &g_array_index(jobs->tasks, Task, i);
        if (claim(jobs, task, &error))
            run_task(jobs, task, &error);
    }
    gint64 wait = error == NULL ? until_next(jobs, &error) : RETRY_MS;
    if (error != NULL)
        g_warning("jobs: %s", error->message);
    return wait;
}

static gpointer run(gpointer data)
{
    Jobs *jobs = data;
    while (!stopping(jobs)) {
        gint64 until = g_get_monotonic_time() + jobs_run_due(jobs) * 1000;
        g_mutex_lock(&jobs->lock);
        while (!jobs->stopping && g_cond_wait_until(&jobs->changed, &jobs->lock, until))
            ;
        g_mutex_unlock(&jobs->lock);
    }
    return NULL;
}

Jobs *jobs_start(Node *node)
{
    Jobs *jobs = jobs_new(node);
    jobs->thread = g_thread_new("jobs", run, jobs);
    return jobs;
}

void jobs_stop(Jobs *jobs)
{
    g_mutex_lock(&jobs->lock);
    jobs->stopping = TRUE;
    g_cond_signal(&jobs->changed);
    g_mutex_unlock(&jobs->lock);
    g_thread_join(jobs->thread);
    jobs_free(jobs);
}

void jobs_metrics(Jobs *jobs, GString *out)
{
    if (jobs == NULL)
        return;
    g_string_append(out, "# HELP fundament_job_runs_total Runs of a job in this process.\n"
                         "# TYPE fundament_job_runs_total counter\n");
    g_mutex_lock(&jobs->lock);
    for (guint i = 0; i < jobs->tasks->len; i++) {
        const Task *task = &g_array_index(jobs->tasks, Task, i);
        g_string_append_printf(out,
                               "fundament_job_runs_total{job=\"%s\",outcome=\"done\"} %" G_GUINT64_FORMAT "\n"
                               "fundament_job_runs_total{job=\"%s\",outcome=\"failed\"} %" G_GUINT64_FORMAT
                               "\n",
                               task->job->name, task->runs - task->failures, task->job->name, task->failures);
    }
    g_mutex_unlock(&jobs->lock);
}

/* Jobs: one thread finds what is due and keeps its leases, a few run it. A lease in the table node_jobs sees
 * to it that of several processes on one store one does; it is short and renewed, so that what a killed
 * process was doing goes on elsewhere within a minute. */
#include "core/node/node_private.h"

#include <stdio.h>
#include <unistd.h>

#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/node/housekeeping.h"
#include "core/node/log.h"

#define LEASE_MS 30000
#define HEARTBEAT_MS 8000
#define RECHECK_MS 60000 /* another process may have let go of a job */
#define RETRY_MS 15000   /* the store did not answer */
#define PARALLEL 4       /* a long one does not delay the others */

typedef struct {
    const Job *job;
    gpointer context;
    guint64 runs, failures;
    gint64 last_ms;   /* when it ended last */
    gboolean running; /* by this process, now */
} Task;

struct jobs {
    Node *node;
    GArray *tasks;
    char holder[40];
    GThread *thread;
    GThreadPool *pool;
    GMutex lock; /* figures of the tasks, `running`, `woken`, `stopping` */
    GCond changed;
    gboolean woken, stopping;
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

static gint64 interval_ms(const Jobs *jobs, const Job *job)
{
    if (job->key == NULL)
        return (gint64)job->interval_s * 1000;
    /* Those ask other organisations: not all at the same moment. */
    guint16 random;
    random_fill(&random, sizeof random);
    gint64 base_ms = config_integer(jobs->node->config, job->section, job->key) * 1000;
    return base_ms * 9 / 10 + base_ms * random / (5 * G_MAXUINT16);
}

static gboolean let_go(Jobs *jobs, const Task *task, const char *last_error, GError **error)
{
    gint64 next = clock_now_ms(jobs->node->clock) + interval_ms(jobs, task->job);
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
        g_warning("jobs: %s failed and runs again later: %s", task->job->name,
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

static gboolean is_running(Jobs *jobs, const Task *task)
{
    g_mutex_lock(&jobs->lock);
    gboolean running = task->running;
    g_mutex_unlock(&jobs->lock);
    return running;
}

/* How long until the first of our jobs is due, by the table. */
static gint64 until_next(Jobs *jobs, GError **error)
{
    gint64 now = clock_now_ms(jobs->node->clock);
    gint64 wait = RECHECK_MS;
    g_autoptr(Db) db = store_take(jobs->node->store, error);
    for (guint i = 0; db != NULL && i < jobs->tasks->len; i++) {
        const Task *task = &g_array_index(jobs->tasks, Task, i);
        if (is_running(jobs, task))
            continue;
        g_autoptr(Rows) rows =
            db_query(db, error, "SELECT next_run_ms, lease_until_ms FROM node_jobs WHERE name = ?1",
                     value_text(task->job->name));
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

/* --- threads --- */

static void set_running(Jobs *jobs, Task *task, gboolean running)
{
    g_mutex_lock(&jobs->lock);
    task->running = running;
    jobs->woken = jobs->woken || !running;
    g_cond_signal(&jobs->changed);
    g_mutex_unlock(&jobs->lock);
}

static void run_in_pool(gpointer data, gpointer user_data)
{
    Jobs *jobs = user_data;
    Task *task = data;
    g_autoptr(GError) error = NULL;
    if (!run_task(jobs, task, &error)) /* its lease runs out, then it runs again */
        g_warning("jobs: %s", error->message);
    set_running(jobs, task, FALSE);
}

static gboolean keep_lease(Jobs *jobs, const Task *task, GError **error)
{
    g_autoptr(Db) db = store_take(jobs->node->store, error);
    return db != NULL &&
           db_run(db, error, "UPDATE node_jobs SET lease_until_ms = ?1 WHERE name = ?2 AND holder = ?3",
                  value_integer(clock_now_ms(jobs->node->clock) + LEASE_MS), value_text(task->job->name),
                  value_text(jobs->holder));
}

/* Starts what is due, keeps the leases of what runs. The time until it must be called again, ms. */
static gint64 tend(Jobs *jobs)
{
    g_autoptr(GError) error = NULL;
    gboolean any = FALSE;
    for (guint i = 0; i < jobs->tasks->len && error == NULL && !stopping(jobs); i++) {
        Task *task = &g_array_index(jobs->tasks, Task, i);
        if (is_running(jobs, task)) {
            any = TRUE;
            keep_lease(jobs, task, &error);
        } else if (claim(jobs, task, &error)) {
            any = TRUE;
            set_running(jobs, task, TRUE);
            g_thread_pool_push(jobs->pool, task, NULL);
        }
    }
    gint64 wait = error == NULL ? until_next(jobs, &error) : RETRY_MS;
    if (error != NULL)
        g_warning("jobs: %s", error->message);
    return any ? MIN(wait, HEARTBEAT_MS) : wait;
}

static gpointer run(gpointer data)
{
    Jobs *jobs = data;
    while (!stopping(jobs)) {
        gint64 until = g_get_monotonic_time() + tend(jobs) * 1000;
        g_mutex_lock(&jobs->lock);
        while (!jobs->stopping && !jobs->woken && g_cond_wait_until(&jobs->changed, &jobs->lock, until))
            ;
        jobs->woken = FALSE;
        g_mutex_unlock(&jobs->lock);
    }
    return NULL;
}

Jobs *jobs_start(Node *node)
{
    Jobs *jobs = jobs_new(node);
    jobs->pool = g_thread_pool_new(run_in_pool, jobs, PARALLEL, FALSE, NULL);
    jobs->thread = g_thread_new("jobs", run, jobs);
    return jobs;
}

void jobs_stop(Jobs *jobs)
{
    g_atomic_int_set(&jobs->node->stopping, 1);
    g_mutex_lock(&jobs->lock);
    jobs->stopping = TRUE;
    g_cond_signal(&jobs->changed);
    g_mutex_unlock(&jobs->lock);
    g_thread_join(jobs->thread);
    g_thread_pool_free(jobs->pool, FALSE, TRUE);
    jobs_free(jobs);
}

gboolean node_is_stopping(const Node *node)
{
    return g_atomic_int_get(&node->stopping) != 0;
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

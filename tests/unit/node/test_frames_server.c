
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/node/frames_server.h"
#include "tests/unit/node/worker.h"

#define OUTPUT_MAX (4 * 1024 * 1024)

typedef struct {
    char *folder;
    char *path;
    FramesServer *server;
    GMutex lock;
    GCond changed;
    GPtrArray *calls; /* kept by the handler of VERIFY */
    guint outcomes;
} Fixture;

static Worker *worker_new(const Fixture *fixture)
{
    return worker_connect(fixture->path);
}

/* Greeted, and past the first list of revoked certificates. */
static Worker *worker_ready(const Fixture *fixture)
{
    Worker *worker = worker_new(fixture);
    worker_hello(worker);
    worker_expect(worker, FRAME_REVOKED, 0, FRAME_STATUS_OK);
    return worker;
}

/* --- a server: LOG is echoed at once, VERIFY is kept for later, ROUTE is forgotten, OUTCOME is counted ---
 */

static void echo(FrameCall *call, gpointer user_data)
{
    gsize length;
    const guint8 *payload = frame_call_payload(call, &length);
    frame_call_answer(call, FRAME_STATUS_OK, payload, length);
}

static void keep(FrameCall *call, gpointer user_data)
{
    Fixture *fixture = user_data;
    g_mutex_lock(&fixture->lock);
    g_ptr_array_add(fixture->calls, frame_call_ref(call));
    g_cond_signal(&fixture->changed);
    g_mutex_unlock(&fixture->lock);
}

static void forget(FrameCall *call, gpointer user_data)
{
}

static void count(FrameCall *call, gpointer user_data)
{
    Fixture *fixture = user_data;
    frame_call_answer(call, FRAME_STATUS_OK, NULL, 0); /* must not reach the worker */
    g_mutex_lock(&fixture->lock);
    fixture->outcomes++;
    g_cond_signal(&fixture->changed);
    g_mutex_unlock(&fixture->lock);
}

static void wait_for_calls(Fixture *fixture, guint number)
{
    g_mutex_lock(&fixture->lock);
    while (fixture->calls->len < number)
        g_cond_wait(&fixture->changed, &fixture->lock);
    g_mutex_unlock(&fixture->lock);
}

static void wait_for_workers(Fixture *fixture, guint number)
{
    for (int i = 0; i < 20000 && frames_server_workers(fixture->server) != number; i++)
        g_usleep(1000);
    assert_int_equal(frames_server_workers(fixture->server), number);
}

static FramesServerOptions options_for(Fixture *fixture)
{
    FramesServerOptions options = {
        .socket_path = fixture->path, .group_id = "group", .peer_id = SUPPORT_OIN, .user_data = fixture};
    options.handlers[FRAME_LOG] = echo;
    options.handlers[FRAME_VERIFY] = keep;
    options.handlers[FRAME_ROUTE] = forget;
    options.handlers[FRAME_OUTCOME] = count;
    return options;
}

static int setup(void **state)
{
    g_autoptr(GError) error = NULL;
    Fixture *fixture = g_new0(Fixture, 1);
    fixture->folder = test_folder_new();
    fixture->path = g_build_filename(fixture->folder, "frames.sock", NULL);
    fixture->calls = g_ptr_array_new_with_free_func((GDestroyNotify)frame_call_unref);
    FramesServerOptions options = options_for(fixture);
    fixture->server = frames_server_start(&options, &error);
    no_error(error);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    Fixture *fixture = *state;
    g_ptr_array_unref(fixture->calls);
    frames_server_stop(fixture->server);
    assert_false(g_file_test(fixture->path, G_FILE_TEST_EXISTS));
    g_free(fixture->folder);
    g_free(fixture->path);
    g_free(fixture);
    return 0;
}

/* --- tests --- */

static void answers_hello_with_group_peer_and_generation(void **state)
{
    Worker *worker = worker_new(*state);
    worker_hello(worker);
    size_t position = 0;
    g_autofree char *group = field_text(worker, &position);
    g_autofree char *peer = field_text(worker, &position);
    assert_string_equal(group, "group");
    assert_string_equal(peer, SUPPORT_OIN);
    assert_int_equal(field_number(worker, &position), 1);
    assert_int_equal(position, worker->header.length);
    worker_expect(worker, FRAME_REVOKED, 0, FRAME_STATUS_OK);
    position = 0;
    assert_int_equal(field_number(worker, &position), 0);
    assert_int_equal(position, worker->header.length);
    worker_free(worker);
}

static void only_its_own_user_may_open_the_socket(void **state)
{
    const Fixture *fixture = *state;
    struct stat status;
    assert_int_equal(stat(fixture->path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
}

static void closes_on_a_frame_before_hello(void **state)
{
    Worker *worker = worker_new(*state);
    worker_send(worker, FRAME_LOG, 1, "x", 1);
    assert_false(worker_receive(worker));
    worker_free(worker);
    wait_for_workers(*state, 0);
}

static void closes_on_a_hello_without_a_process_id(void **state)
{
    Worker *worker = worker_new(*state);
    worker_send(worker, FRAME_HELLO, 1, NULL, 0);
    assert_false(worker_receive(worker));
    worker_free(worker);
}

/* decisions.md 1. This file is also built against a node that is one version ahead: then all of it shows that
 * the node still speaks with an edge of the version before. */
#ifndef AHEAD
#define AHEAD 0
#endif

/* decisions.md 1: both sides agree a frame version. */
static void closes_on_versions_it_does_not_know(void **state)
{
    static const guint8 versions[] = {0, FRAME_VERSION + 1 + AHEAD, 255};
    for (gsize i = 0; i < G_N_ELEMENTS(versions); i++) {
        guint8 frame[FRAME_HEADER_SIZE + 4];
        Worker *worker = worker_ready(*state);
        send_all(worker, frame, frame_make(frame, versions[i], FRAME_LOG, 2, "abcd", 4));
        assert_false(worker_receive(worker));
        worker_free(worker);
    }
}

static void closes_on_a_frame_over_the_limit(void **state)
{
    guint8 frame[FRAME_HEADER_SIZE];
    Worker *worker = worker_ready(*state);
    struct frame_header header = {FRAME_PAYLOAD_MAX + 1, FRAME_VERSION, FRAME_LOG, 0, 1};
    frame_header_write(frame, &header);
    send_all(worker, frame, sizeof frame);
    assert_false(worker_receive(worker));
    worker_free(worker);
}

static void takes_a_frame_of_the_full_size(void **state)
{
    Worker *worker = worker_ready(*state);
    g_autofree guint8 *payload = g_malloc(FRAME_PAYLOAD_MAX);
    for (gsize i = 0; i < FRAME_PAYLOAD_MAX; i++)
        payload[i] = (guint8)(i * 7);
    for (guint64 id = 1; id < 4; id++) {
        worker_send(worker, FRAME_LOG, id, payload, FRAME_PAYLOAD_MAX);
        worker_expect(worker, FRAME_LOG, id, FRAME_STATUS_OK);
        assert_int_equal(worker->header.length, FRAME_PAYLOAD_MAX);
        assert_memory_equal(worker->payload, payload, FRAME_PAYLOAD_MAX);
    }
    worker_free(worker);
}

static void takes_frames_byte_by_byte(void **state)
{
    guint8 frames[3 * (FRAME_HEADER_SIZE + 5)];
    size_t length = frame_make(frames, FRAME_VERSION, FRAME_LOG, 7, "first", 5);
    length += frame_make(frames + length, FRAME_VERSION, FRAME_LOG, 8, NULL, 0);
    length += frame_make(frames + length, FRAME_VERSION, FRAME_LOG, 9, "third", 5);
    Worker *worker = worker_ready(*state);
    for (size_t i = 0; i < length; i++)
        send_all(worker, frames + i, 1);
    worker_expect(worker, FRAME_LOG, 7, FRAME_STATUS_OK);
    assert_memory_equal(worker->payload, "first", 5);
    worker_expect(worker, FRAME_LOG, 8, FRAME_STATUS_OK);
    assert_int_equal(worker->header.length, 0);
    worker_expect(worker, FRAME_LOG, 9, FRAME_STATUS_OK);
    assert_memory_equal(worker->payload, "third", 5);
    worker_free(worker);
}

static void refuses_types_that_nobody_answers(void **state)
{
    static const guint8 types[] = {FRAME_HELLO, FRAME_FLUSH, FRAME_REVOKED, 0, 15, 16, 255};
    Worker *worker = worker_ready(*state);
    for (gsize i = 0; i < G_N_ELEMENTS(types); i++) {
        worker_send(worker, types[i], 100 + i, "x", 1);
        worker_expect(worker, types[i], 100 + i, FRAME_STATUS_BAD_FRAME);
        size_t position = 0;
        g_autofree char *message = field_text(worker, &position);
        assert_string_equal(message, "this node does not answer frames of that type");
    }
    worker_free(worker);
}

static void a_call_that_is_let_go_of_is_refused(void **state)
{
    Worker *worker = worker_ready(*state);
    worker_send(worker, FRAME_ROUTE, 5, "x", 1);
    worker_expect(worker, FRAME_ROUTE, 5, FRAME_STATUS_NOT_READY);
    worker_free(worker);
}

static void an_outcome_has_no_answer(void **state)
{
    Fixture *fixture = *state;
    Worker *worker = worker_ready(fixture);
    worker_send(worker, FRAME_OUTCOME, 5, "x", 1);
    worker_send(worker, FRAME_LOG, 6, "y", 1);
    worker_expect(worker, FRAME_LOG, 6, FRAME_STATUS_OK);
    assert_int_equal(fixture->outcomes, 1);
    worker_free(worker);
}

static gpointer answer_backwards(gpointer data)
{
    Fixture *fixture = data;
    for (guint i = fixture->calls->len; i > 0; i--)
        echo(fixture->calls->pdata[i - 1], NULL);
    frames_server_flush(fixture->server);
    return NULL;
}

static void answers_thousands_of_calls_in_any_order(void **state)
{
    const guint number = 5000;
    Fixture *fixture = *state;
    Worker *worker = worker_ready(fixture);
    for (guint i = 0; i < number; i++)
        worker_send(worker, FRAME_VERIFY, 1000 + i, &i, sizeof i);
    wait_for_calls(fixture, number);
    g_thread_join(g_thread_new("answers", answer_backwards, fixture));
    for (guint i = number; i > 0; i--) {
        guint expected = i - 1, got = 0;
        worker_expect(worker, FRAME_VERIFY, 1000 + expected, FRAME_STATUS_OK);
        memcpy(&got, worker->payload, sizeof got);
        assert_int_equal(got, expected);
    }
    worker_free(worker);
}

static void sends_a_late_answer_without_a_flush(void **state)
{
    Fixture *fixture = *state;
    Worker *worker = worker_ready(fixture);
    worker_send(worker, FRAME_VERIFY, 9, "late", 4);
    wait_for_calls(fixture, 1);
    frame_call_refuse(fixture->calls->pdata[0], FRAME_STATUS_ACCESS_TOKEN_EXPIRED, "too late");
    worker_expect(worker, FRAME_VERIFY, 9, FRAME_STATUS_ACCESS_TOKEN_EXPIRED);
    size_t position = 0;
    g_autofree char *message = field_text(worker, &position);
    assert_string_equal(message, "too late");
    worker_free(worker);
}

/* Sending and receiving at the same time, as a worker under load does. */
static gpointer send_load(gpointer data)
{
    Worker *worker = data;
    for (guint64 i = 0; i < 20000; i++)
        worker_send(worker, FRAME_LOG, i, "0123456789abcdef0123456789abcdef", 32);
    return NULL;
}

static gpointer run_load(gpointer data)
{
    Worker *worker = worker_ready(data);
    GThread *sender = g_thread_new("sender", send_load, worker);
    for (guint64 i = 0; i < 20000; i++)
        worker_expect(worker, FRAME_LOG, i, FRAME_STATUS_OK);
    g_thread_join(sender);
    worker_free(worker);
    return NULL;
}

static void serves_several_workers_at_once(void **state)
{
    GThread *threads[4];
    for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
        threads[i] = g_thread_new("worker", run_load, *state);
    for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
        g_thread_join(threads[i]);
    wait_for_workers(*state, 0);
}

static void drops_the_answers_of_a_worker_that_has_gone(void **state)
{
    Fixture *fixture = *state;
    Worker *gone = worker_ready(fixture);
    Worker *stays = worker_ready(fixture);
    for (guint i = 0; i < 100; i++)
        worker_send(gone, FRAME_VERIFY, i, "x", 1);
    wait_for_calls(fixture, 100);
    worker_free(gone);
    wait_for_workers(fixture, 1);
    answer_backwards(fixture);
    worker_send(stays, FRAME_LOG, 1, "y", 1);
    worker_expect(stays, FRAME_LOG, 1, FRAME_STATUS_OK);
    worker_free(stays);
}

static void a_worker_that_vanishes_in_the_middle_of_a_frame_harms_nobody(void **state)
{
    guint8 frame[FRAME_HEADER_SIZE + 100];
    guint8 payload[100] = {0};
    size_t length = frame_make(frame, FRAME_VERSION, FRAME_LOG, 1, payload, sizeof payload);
    for (size_t cut = 1; cut < length; cut += 13) {
        Worker *worker = worker_ready(*state);
        send_all(worker, frame, cut);
        worker_free(worker);
    }
    Worker *worker = worker_ready(*state);
    worker_send(worker, FRAME_LOG, 2, "z", 1);
    worker_expect(worker, FRAME_LOG, 2, FRAME_STATUS_OK);
    worker_free(worker);
    wait_for_workers(*state, 0);
}

static void drops_a_worker_that_does_not_read(void **state)
{
    Fixture *fixture = *state;
    const gsize size = 200 * 1024;
    const guint number = OUTPUT_MAX / size + 20; /* more than the buffer and the socket hold */
    g_autofree guint8 *big = g_malloc0(size);
    Worker *worker = worker_ready(fixture);
    Worker *other = worker_ready(fixture);
    for (guint i = 0; i < number; i++)
        worker_send(worker, FRAME_VERIFY, i, big, size);
    wait_for_calls(fixture, number);
    answer_backwards(fixture);
    wait_for_workers(fixture, 1);
    worker_send(other, FRAME_LOG, 1, "y", 1);
    worker_expect(other, FRAME_LOG, 1, FRAME_STATUS_OK);
    worker_free(worker);
    worker_free(other);
}

static void holds_what_a_slow_worker_will_read_later(void **state)
{
    Fixture *fixture = *state;
    const gsize size = 100 * 1024;
    g_autofree guint8 *big = g_malloc0(size);
    Worker *worker = worker_ready(fixture);
    for (guint i = 0; i < 30; i++)
        worker_send(worker, FRAME_VERIFY, i, big, size);
    wait_for_calls(fixture, 30);
    answer_backwards(fixture);
    for (guint i = 30; i > 0; i--) {
        worker_expect(worker, FRAME_VERIFY, i - 1, FRAME_STATUS_OK);
        assert_int_equal(worker->header.length, size);
    }
    worker_free(worker);
}

static void forgetting_tells_every_worker_the_new_generation(void **state)
{
    Fixture *fixture = *state;
    Worker *a = worker_ready(fixture);
    Worker *b = worker_ready(fixture);
    assert_int_equal(frames_server_forget(fixture->server), 2);
    Worker *workers[] = {a, b};
    for (gsize i = 0; i < G_N_ELEMENTS(workers); i++) {
        size_t position = 0;
        worker_expect(workers[i], FRAME_FLUSH, 0, FRAME_STATUS_OK);
        assert_int_equal(field_number(workers[i], &position), 2);
        worker_free(workers[i]);
    }
    Worker *late = worker_new(fixture);
    worker_hello(late);
    size_t position = 0;
    g_free(field_text(late, &position));
    g_free(field_text(late, &position));
    assert_int_equal(field_number(late, &position), 2);
    worker_free(late);
}

static void revoked_serials_reach_workers_now_and_later(void **state)
{
    Fixture *fixture = *state;
    const char *const serials[] = {"0A", "1B2C", NULL};
    Worker *now = worker_ready(fixture);
    frames_server_set_revoked(fixture->server, serials);
    Worker *later = worker_new(fixture);
    worker_hello(later);
    Worker *workers[] = {now, later};
    for (gsize i = 0; i < G_N_ELEMENTS(workers); i++) {
        size_t position = 0;
        worker_expect(workers[i], FRAME_REVOKED, 0, FRAME_STATUS_OK);
        assert_int_equal(field_number(workers[i], &position), 0);
        g_autofree char *first = field_text(workers[i], &position);
        g_autofree char *second = field_text(workers[i], &position);
        assert_string_equal(first, "0A");
        assert_string_equal(second, "1B2C");
        assert_int_equal(position, workers[i]->header.length);
        worker_free(workers[i]);
    }
}

static void a_long_list_of_serials_goes_in_several_frames(void **state)
{
    const guint number = 20000;
    Fixture *fixture = *state;
    g_autoptr(GPtrArray) serials = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < number; i++)
        g_ptr_array_add(serials, g_strdup_printf("%040X", i));
    g_ptr_array_add(serials, NULL);
    frames_server_set_revoked(fixture->server, (const char *const *)serials->pdata);
    Worker *worker = worker_new(fixture);
    worker_hello(worker);
    guint seen = 0, frames = 0;
    for (guint64 more = 1; more == 1; frames++) {
        size_t position = 0;
        worker_expect(worker, FRAME_REVOKED, 0, FRAME_STATUS_OK);
        more = field_number(worker, &position);
        while (position < worker->header.length) {
            g_autofree char *serial = field_text(worker, &position);
            assert_string_equal(serial, serials->pdata[seen++]);
        }
    }
    assert_int_equal(seen, number);
    assert_int_equal(frames, 4);
    worker_free(worker);
}

static void replaces_a_stale_socket_but_not_a_living_one(void **state)
{
    g_autoptr(GError) error = NULL;
    Fixture *fixture = *state;
    FramesServerOptions options = options_for(fixture);
    assert_null(frames_server_start(&options, &error));
    expect_error(&error, FUNDAMENT_ERROR_CONFLICT);
    /* What a killed process leaves: a bound socket that nobody listens on. */
    g_autofree char *stale = g_build_filename(fixture->folder, "stale.sock", NULL);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    g_strlcpy(address.sun_path, stale, sizeof address.sun_path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
    close(fd);
    options.socket_path = stale;
    FramesServer *second = frames_server_start(&options, &error);
    no_error(error);
    frames_server_stop(second);
}

static void does_not_remove_what_is_no_socket(void **state)
{
    g_autoptr(GError) error = NULL;
    Fixture *fixture = *state;
    g_autofree char *file = g_build_filename(fixture->folder, "file", NULL);
    assert_true(g_file_set_contents(file, "precious", -1, NULL));
    FramesServerOptions options = options_for(fixture);
    options.socket_path = file;
    assert_null(frames_server_start(&options, &error));
    expect_error(&error, FUNDAMENT_ERROR_IO);
    assert_true(g_file_test(file, G_FILE_TEST_EXISTS));
}

static void says_that_a_path_is_too_long(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = g_strnfill(200, 'p');
    FramesServerOptions options = options_for(*state);
    options.socket_path = path;
    assert_null(frames_server_start(&options, &error));
    expect_error(&error, FUNDAMENT_ERROR_INVALID);
}

static void calls_outlive_the_server(void **state)
{
    Fixture *fixture = *state;
    Worker *worker = worker_ready(fixture);
    worker_send(worker, FRAME_VERIFY, 1, "x", 1);
    wait_for_calls(fixture, 1);
    frames_server_stop(fixture->server);
    fixture->server = NULL;
    assert_false(worker_receive(worker));
    frame_call_answer(fixture->calls->pdata[0], FRAME_STATUS_OK, NULL, 0);
    worker_free(worker);
}

static void no_server_is_a_server_without_workers(void **state)
{
    const char *const none[] = {NULL};
    frames_server_flush(NULL);
    frames_server_set_revoked(NULL, none);
    assert_int_equal(frames_server_forget(NULL), 0);
    assert_int_equal(frames_server_workers(NULL), 0);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(answers_hello_with_group_peer_and_generation),
        test(only_its_own_user_may_open_the_socket),
        test(closes_on_a_frame_before_hello),
        test(closes_on_a_hello_without_a_process_id),
        test(closes_on_versions_it_does_not_know),
        test(closes_on_a_frame_over_the_limit),
        test(takes_a_frame_of_the_full_size),
        test(takes_frames_byte_by_byte),
        test(refuses_types_that_nobody_answers),
        test(a_call_that_is_let_go_of_is_refused),
        test(an_outcome_has_no_answer),
        test(answers_thousands_of_calls_in_any_order),
        test(sends_a_late_answer_without_a_flush),
        test(serves_several_workers_at_once),
        test(drops_the_answers_of_a_worker_that_has_gone),
        test(a_worker_that_vanishes_in_the_middle_of_a_frame_harms_nobody),
        test(drops_a_worker_that_does_not_read),
        test(holds_what_a_slow_worker_will_read_later),
        test(forgetting_tells_every_worker_the_new_generation),
        test(revoked_serials_reach_workers_now_and_later),
        test(a_long_list_of_serials_goes_in_several_frames),
        test(replaces_a_stale_socket_but_not_a_living_one),
        test(does_not_remove_what_is_no_socket),
        test(says_that_a_path_is_too_long),
        test(calls_outlive_the_server),
        test(no_server_is_a_server_without_workers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The journal when the disk or the power fails. The functions with which it writes are wrapped at link time.
 */
#include "tests/unit/store/journal_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/folder.h"

#define LONGEST 700

/* What goes wrong; zeros are "nothing". */
static struct {
    gint write_errno;     /* each pwrite and pwritev */
    gint write_limit;     /* they write so many bytes at most */
    gint interrupts;      /* so many of them are interrupted first */
    gint sync_errno;      /* each fdatasync */
    gint fallocate_errno; /* each posix_fallocate */
} faults;

static GPtrArray *power_cuts; /* of PowerCut, while they are simulated */
static GMutex power_mutex;
static void before_sync(void);
static void after_sync(int fd);

static int write_fault(void)
{
    if (g_atomic_int_get(&faults.interrupts) > 0) {
        g_atomic_int_add(&faults.interrupts, -1);
        return EINTR;
    }
    return g_atomic_int_get(&faults.write_errno);
}

ssize_t __real_pwritev64(int fd, const struct iovec *parts, int n_parts, off_t offset);
ssize_t __wrap_pwritev64(int fd, const struct iovec *parts, int n_parts, off_t offset);
ssize_t __real_pwrite64(int fd, const void *bytes, size_t length, off_t offset);
ssize_t __wrap_pwrite64(int fd, const void *bytes, size_t length, off_t offset);
int __real_posix_fallocate64(int fd, off_t offset, off_t length);
int __wrap_posix_fallocate64(int fd, off_t offset, off_t length);
int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);

ssize_t __wrap_pwrite64(int fd, const void *bytes, size_t length, off_t offset)
{
    int fault = write_fault();
    if (fault != 0) {
        errno = fault;
        return -1;
    }
    size_t limit = (size_t)g_atomic_int_get(&faults.write_limit);
    return __real_pwrite64(fd, bytes, limit > 0 ? MIN(length, limit) : length, offset);
}

ssize_t __wrap_pwritev64(int fd, const struct iovec *parts, int n_parts, off_t offset)
{
    int fault = write_fault();
    size_t limit = (size_t)g_atomic_int_get(&faults.write_limit);
    if (fault != 0) {
        errno = fault;
        return -1;
    }
    if (limit > 0 && parts->iov_len >= limit) {
        return __real_pwrite64(fd, parts->iov_base, limit, offset);
    }
    return __real_pwritev64(fd, parts, limit > 0 ? 1 : n_parts, offset);
}

int __wrap_posix_fallocate64(int fd, off_t offset, off_t length)
{
    int fault = g_atomic_int_get(&faults.fallocate_errno);
    return fault != 0 ? fault : __real_posix_fallocate64(fd, offset, length);
}

int __wrap_fdatasync(int fd)
{
    int fault = g_atomic_int_get(&faults.sync_errno);
    if (fault != 0) {
        errno = fault;
        return -1;
    }
    before_sync();
    int result = __real_fdatasync(fd);
    after_sync(fd);
    return result;
}

/* ---- the disk fails ---- */

static void append_fails(Journal *journal, const char *text)
{
    g_autoptr(GError) error = NULL;
    guint64 sequence = 77;
    assert_false(journal_append_wait(journal, 9, text, strlen(text), &sequence, &error));
    assert_int_equal(sequence, 77);
    expect_error(&error, FUNDAMENT_ERROR_IO);
    assert_false(journal_healthy(journal));
}

static void recover_fails(Journal *journal)
{
    g_autoptr(GError) error = NULL;
    assert_false(journal_recover(journal, &error));
    expect_error(&error, FUNDAMENT_ERROR_IO);
}

static void recover_works(Journal *journal)
{
    g_autoptr(GError) error = NULL;
    assert_true(journal_recover(journal, &error));
    no_error(error);
    assert_true(journal_healthy(journal));
}

/* `fault` is set to `value` after five records; then what fails is told, forgotten, and the sixth record is
 * the next that works. Each time also after a reopening. */
static void fails_and_recovers(gint *fault, gint value)
{
    g_autofree char *folder = test_folder_new();
    Journal *journal = journal_new(folder);
    guint64 n = 1;
    for (; n <= 5; n++) {
        append_record(journal, n, LONGEST);
    }
    for (int round = 0; round < 3; round++) {
        g_atomic_int_set(fault, value);
        append_fails(journal, "this one is lost, and says so");
        append_fails(journal, "and all that follow, until the disk is back");
        recover_fails(journal);
        append_fails(journal, "still");
        assert_int_equal(check_all(journal, LONGEST), n - 1); /* reading goes on */
        g_atomic_int_set(fault, 0);
        recover_works(journal);
        append_record(journal, n++, LONGEST);
        assert_int_equal(check_all(journal, LONGEST), n - 1);
        if (round == 1) {
            journal_close(journal);
            journal = journal_new(folder);
            assert_int_equal(check_all(journal, LONGEST), n - 1);
        }
    }
    journal_close(journal);
}

static void a_failed_write_is_told_and_forgotten(void **state)
{
    fails_and_recovers(&faults.write_errno, EIO);
    fails_and_recovers(&faults.write_errno, ENOSPC);
}

static void a_failed_sync_is_told_and_forgotten(void **state)
{
    fails_and_recovers(&faults.sync_errno, EIO);
}

static void recovers_by_itself(void **state)
{
    g_autofree char *folder = test_folder_new();
    g_autoptr(Journal) journal = journal_new(folder);
    append_record(journal, 1, LONGEST);
    g_atomic_int_set(&faults.sync_errno, EIO);
    append_fails(journal, "lost");
    g_atomic_int_set(&faults.sync_errno, 0);
    gint64 deadline = g_get_monotonic_time() + 20 * G_USEC_PER_SEC;
    while (!journal_healthy(journal)) {
        assert_true(g_get_monotonic_time() < deadline);
        g_usleep(5000);
    }
    append_record(journal, 2, LONGEST);
    assert_int_equal(check_all(journal, LONGEST), 2);
}

static void short_and_interrupted_writes_are_continued(void **state)
{
    g_autofree char *folder = test_folder_new();
    Journal *journal = journal_new(folder);
    const gint limits[] = {1, 7, 64, 300};
    guint64 n = 1;
    for (gsize i = 0; i < G_N_ELEMENTS(limits); i++) {
        g_atomic_int_set(&faults.write_limit, limits[i]);
        g_atomic_int_set(&faults.interrupts, 3);
        append_batch(journal, n, n + 9, LONGEST);
        n += 10;
        g_atomic_int_set(&faults.write_limit, 0);
        assert_int_equal(check_all(journal, LONGEST), n - 1);
    }
    journal_close(journal);
    journal = journal_new(folder);
    assert_int_equal(check_all(journal, LONGEST), n - 1);
    journal_close(journal);
}

/* Of a batch of three the disk takes two and a half. */
static int fail_half_way(const char *folder)
{
    GMutex gate;
    Journal *journal = journal_new(folder);
    append_held(journal, 1, LONGEST, &gate);
    struct rlimit limit = {journal->end + 2 * record_size(200) + 100, RLIM_INFINITY};
    g_autofree char *text = g_strnfill(200, 'x');
    for (int i = 0; i < 3; i++) {
        journal_append(journal, 1, text, 200, NULL, NULL);
    }
    gboolean limited = setrlimit(RLIMIT_FSIZE, &limit) == 0;
    g_mutex_unlock(&gate);
    gboolean failed = !journal_append_wait(journal, 1, text, 200, NULL, NULL);
    return limited && failed && journal_last(journal) == 1 ? 0 : 1;
}

static void a_process_that_dies_after_a_failure_leaves_nothing_of_it(void **state)
{
    g_autofree char *folder = test_folder_new();
    pid_t child = fork();
    if (child == 0) {
        _exit(fail_half_way(folder));
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0); /* nor killed by SIGXFSZ */
    g_autoptr(Journal) journal = journal_new(folder);
    assert_int_equal(check_all(journal, LONGEST), 1);
    append_record(journal, 2, LONGEST);
}

/* decisions.md 31: how the log is made unwritable in tests of the whole. Nothing ignores SIGXFSZ here. */
static int append_within_limits(const char *folder)
{
    Journal *journal = journal_new(folder);
    struct rlimit before;
    getrlimit(RLIMIT_FSIZE, &before);
    struct rlimit none = {0, before.rlim_max};
    guint64 sequence = 0;
    gboolean good = journal_append_wait(journal, 1, "a", 1, &sequence, NULL);
    good = good && setrlimit(RLIMIT_FSIZE, &none) == 0 &&
           !journal_append_wait(journal, 1, "b", 1, &sequence, NULL);
    good = good && !journal_recover(journal, NULL) && !journal_healthy(journal);
    good = good && setrlimit(RLIMIT_FSIZE, &before) == 0 && journal_recover(journal, NULL);
    good = good && journal_append_wait(journal, 1, "c", 1, &sequence, NULL) && sequence == 2;
    journal_close(journal);
    return good ? 0 : 1;
}

static void a_file_size_limit_is_an_error_not_the_end(void **state)
{
    g_autofree char *folder = test_folder_new();
    pid_t child = fork();
    if (child == 0) {
        _exit(append_within_limits(folder));
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    g_autoptr(Journal) journal = journal_new(folder);
    assert_int_equal(journal_last(journal), 2);
}

/* ---- the disk is full ---- */

static void without_room_for_the_next_segment_the_active_one_is_filled(void **state)
{
    g_autofree char *folder = test_folder_new();
    Journal *journal = journal_new(folder);
    g_atomic_int_set(&faults.fallocate_errno, ENOSPC);
    g_autoptr(GError) error = NULL;
    guint64 n = 0;
    g_autofree char *text = g_strnfill(1000, 'x');
    while (journal_append_wait(journal, 1, text, 1000, &n, &error)) {
    }
    expect_error(&error, FUNDAMENT_ERROR_IO);
    assert_int_equal(n, (SMALL_SEGMENT - SEGMENT_HEADER_SIZE) / record_size(1000));
    recover_fails(journal);
    g_atomic_int_set(&faults.fallocate_errno, 0);
    recover_works(journal);
    guint64 next = 0;
    assert_true(journal_append_wait(journal, 1, text, 1000, &next, &error));
    assert_int_equal(next, n + 1);
    journal_close(journal);
    journal = journal_new(folder);
    assert_int_equal(journal_last(journal), next);
    journal_close(journal);
}

/* 0 when it worked, 77 when nothing can be mounted here. */
static int fill_a_small_disk(const char *folder)
{
    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("tmpfs", folder, "tmpfs", 0, "size=160k") != 0) {
        return 77;
    }
    Journal *journal = journal_new(folder); /* two segments of 64 KiB fit */
    g_autofree char *text = g_strnfill(1000, 'x');
    g_autofree char *ballast = g_build_filename(folder, "ballast", NULL);
    g_file_set_contents(ballast, text, 1000, NULL);
    guint64 n = 0;
    while (journal_append_wait(journal, 1, text, 1000, &n, NULL)) {
    }
    guint64 per_segment = (SMALL_SEGMENT - SEGMENT_HEADER_SIZE) / record_size(1000);
    gboolean good = n == 2 * per_segment && !journal_recover(journal, NULL);
    good = good && mount(NULL, folder, NULL, MS_REMOUNT, "size=400k") == 0 && journal_recover(journal, NULL);
    guint64 next = 0;
    good = good && journal_append_wait(journal, 1, text, 1000, &next, NULL) && next == n + 1;
    journal_close(journal);
    journal = journal_new(folder);
    good = good && journal_last(journal) == next;
    journal_close(journal);
    return good ? 0 : 1;
}

static void a_full_disk_loses_nothing(void **state)
{
    g_autofree char *folder = test_folder_new();
    pid_t child = fork();
    if (child == 0) {
        _exit(fill_a_small_disk(folder));
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77) {
        print_message("skipped: no tmpfs can be mounted here\n");
        skip();
    }
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* ---- kill -9 ---- */

static void tell(guint64 sequence, const GError *error, gpointer user_data)
{
    int fd = GPOINTER_TO_INT(user_data);
    if (error != NULL || write(fd, &sequence, sizeof sequence) != sizeof sequence) {
        _exit(1);
    }
}

/* Appends as fast as it can, with at most some 200 waiting, and tells each sequence that is on disk. */
static void append_and_tell(const char *folder, int fd)
{
    Journal *journal = journal_new(folder);
    for (guint64 n = journal_last(journal) + 1;; n++) {
        g_autoptr(GBytes) bytes = record_bytes(n, LONGEST);
        journal_append(journal, (guint16)(n * 257), g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes),
                       tell, GINT_TO_POINTER(fd));
        if (n > 200) {
            journal_wait(journal, n - 200, 10000);
        }
    }
}

static void a_killed_process_loses_nothing_that_it_acknowledged(void **state)
{
    g_autofree char *folder = test_folder_new();
    g_autoptr(GRand) random = g_rand_new_with_seed(9);
    guint64 told = 0;
    for (int round = 0; round < 40; round++) {
        int ends[2];
        assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
        pid_t child = fork();
        if (child == 0) {
            close(ends[0]);
            append_and_tell(folder, ends[1]);
        }
        close(ends[1]);
        gint32 wanted = g_rand_int_range(random, 1, 300);
        for (gint32 i = 0; i < wanted; i++) {
            assert_int_equal(read(ends[0], &told, sizeof told), sizeof told);
        }
        g_usleep((gulong)g_rand_int_range(random, 0, 1000)); /* any moment will do */
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, NULL, 0), child);
        while (read(ends[0], &told, sizeof told) == sizeof told) {
        }
        close(ends[0]);
        g_autoptr(Journal) journal = journal_new(folder);
        assert_true(check_all(journal, LONGEST) >= told);
    }
}

/* ---- the power goes ---- */

/* What the disk may hold when the power goes before a certain sync: of all that was written since the last
 * one, any sector may be there or not. */
typedef struct {
    guint64 acknowledged;
    GHashTable *files; /* name -> GBytes */
} PowerCut;

static const char *power_folder;
static GHashTable *power_disk; /* name -> GBytes: what is on disk for certain */
static GRand *power_random;
static guint64 power_acknowledged;

static void power_cut_free(gpointer data)
{
    PowerCut *cut = data;
    g_hash_table_unref(cut->files);
    g_free(cut);
}

static GBytes *mix_sectors(GBytes *certain, GBytes *written)
{
    gsize size = g_bytes_get_size(written);
    const guint8 *before = g_bytes_get_data(certain, NULL);
    guint8 *mixed = g_memdup2(g_bytes_get_data(written, NULL), size);
    gint32 chance = g_rand_int_range(power_random, 0, 11);
    for (gsize sector = 0; sector < size; sector += 512) {
        if (g_rand_int_range(power_random, 0, 10) < chance) {
            memcpy(mixed + sector, before + sector, MIN(512, size - sector));
        }
    }
    return g_bytes_new_take(mixed, size);
}

static void before_sync(void)
{
    g_mutex_lock(&power_mutex);
    if (power_cuts != NULL && g_hash_table_size(power_disk) > 0) {
        PowerCut *cut = g_new0(PowerCut, 1);
        cut->acknowledged = power_acknowledged;
        cut->files = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_bytes_unref);
        GHashTableIter iterator;
        gpointer name = NULL;
        gpointer certain = NULL;
        g_hash_table_iter_init(&iterator, power_disk);
        while (g_hash_table_iter_next(&iterator, &name, &certain)) {
            g_autofree char *path = g_build_filename(power_folder, name, NULL);
            if (g_file_test(path, G_FILE_TEST_EXISTS)) { /* not while it is being made */
                g_autoptr(GBytes) written = file_read(path);
                g_hash_table_insert(cut->files, g_strdup(name), mix_sectors(certain, written));
            }
        }
        g_ptr_array_add(power_cuts, cut);
    }
    g_mutex_unlock(&power_mutex);
}

static void after_sync(int fd)
{
    g_mutex_lock(&power_mutex);
    if (power_cuts != NULL) {
        g_autofree char *link = g_strdup_printf("/proc/self/fd/%d", fd);
        g_autofree char *path = g_file_read_link(link, NULL);
        g_autofree char *name = g_path_get_basename(path);
        if (g_str_has_suffix(name, SEGMENT_MAKING)) {
            name[strlen(name) - strlen(SEGMENT_MAKING)] = '\0';
        }
        GBytes *bytes = file_read(path);
        g_hash_table_insert(power_disk, g_steal_pointer(&name), bytes);
    }
    g_mutex_unlock(&power_mutex);
}

static void power_acknowledge(guint64 sequence, const GError *error, gpointer user_data)
{
    g_mutex_lock(&power_mutex);
    power_acknowledged = sequence;
    g_mutex_unlock(&power_mutex);
}

static void append_under_power_cuts(guint64 records)
{
    g_autofree char *folder = test_folder_new();
    power_folder = folder;
    power_disk = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_bytes_unref);
    power_cuts = g_ptr_array_new_with_free_func(power_cut_free);
    Journal *journal = journal_new(folder);
    guint64 n = 1;
    while (n <= records) {
        guint64 until = n + (guint64)g_rand_int_range(power_random, 0, 30);
        for (; n <= until; n++) {
            g_autoptr(GBytes) bytes = record_bytes(n, LONGEST);
            journal_append(journal, (guint16)(n * 257), g_bytes_get_data(bytes, NULL),
                           g_bytes_get_size(bytes), power_acknowledge, NULL);
        }
        journal_wait(journal, until - 1, 60000);
    }
    journal_close(journal);
}

static void a_power_cut_loses_nothing_that_was_acknowledged(void **state)
{
    power_random = g_rand_new_with_seed(42);
    append_under_power_cuts(700);
    GPtrArray *cuts = g_steal_pointer(&power_cuts);
    guint lost_something = 0;
    for (guint i = 0; i < cuts->len; i++) {
        const PowerCut *cut = cuts->pdata[i];
        g_autofree char *folder = test_folder_new();
        GHashTableIter iterator;
        gpointer name = NULL;
        gpointer bytes = NULL;
        g_hash_table_iter_init(&iterator, cut->files);
        while (g_hash_table_iter_next(&iterator, &name, &bytes)) {
            g_autofree char *path = g_build_filename(folder, name, NULL);
            file_write(path, bytes);
        }
        Journal *journal = journal_new(folder);
        guint64 kept = check_all(journal, LONGEST);
        assert_true(kept >= cut->acknowledged);
        lost_something += kept == cut->acknowledged;
        for (guint64 n = kept + 1; n <= kept + 5; n++) {
            append_record(journal, n, LONGEST);
        }
        journal_close(journal);
        journal = journal_new(folder);
        assert_int_equal(check_all(journal, LONGEST), kept + 5); /* and nothing that was cut came back */
        journal_close(journal);
    }
    assert_in_range(cuts->len, 20, 800);
    assert_in_range(lost_something, 1, cuts->len);
    g_ptr_array_unref(cuts);
    g_hash_table_unref(power_disk);
    g_rand_free(power_random);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failed_write_is_told_and_forgotten),
        cmocka_unit_test(a_failed_sync_is_told_and_forgotten),
        cmocka_unit_test(recovers_by_itself),
        cmocka_unit_test(short_and_interrupted_writes_are_continued),
        cmocka_unit_test(a_process_that_dies_after_a_failure_leaves_nothing_of_it),
        cmocka_unit_test(a_file_size_limit_is_an_error_not_the_end),
        cmocka_unit_test(without_room_for_the_next_segment_the_active_one_is_filled),
        cmocka_unit_test(a_full_disk_loses_nothing),
        cmocka_unit_test(a_killed_process_loses_nothing_that_it_acknowledged),
        cmocka_unit_test(a_power_cut_loses_nothing_that_was_acknowledged),
    };
    return cmocka_run_group_tests_name("journal_faults", tests, NULL, NULL);
}

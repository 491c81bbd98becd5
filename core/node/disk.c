#include "core/node/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "core/node/health.h"

#define RESERVE_NAME "reserve"
#define FULL_BYTES (1024 * 1024) /* less than this is full: SQLite writes some pages at once */

struct disk {
    char *folder, *path;
    guint64 wanted; /* of the reserve; 0: none */
    guint64 warn;
    GMutex lock; /* for what follows */
    guint64 size, free;
    guint64 reserved;
    guint64 given_up; /* how often, since the start */
};

/* What an ordinary user may still write. */
static void look(Disk *disk)
{
    struct statvfs status;
    struct stat reserve;
    if (statvfs(disk->folder, &status) == 0) {
        disk->size = (guint64)status.f_blocks * status.f_frsize;
        disk->free = (guint64)status.f_bavail * status.f_frsize;
    }
    disk->reserved = stat(disk->path, &reserve) == 0 ? (guint64)reserve.st_blocks * 512 : 0;
}

static void give_up(Disk *disk)
{
    if (unlink(disk->path) != 0)
        return;
    disk->given_up++;
    g_critical("disk: %s is full; its reserve of %" G_GUINT64_FORMAT
               " MiB was given up so that what was acknowledged can be indexed: make room now",
               disk->folder, disk->reserved >> 20);
}

static void make(Disk *disk)
{
    int fd = open(disk->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    int result = fd < 0 ? errno : posix_fallocate(fd, 0, (off_t)disk->wanted);
    if (fd >= 0)
        close(fd);
    if (result != 0)
        unlink(disk->path);
}

void disk_tick(Disk *disk)
{
    g_mutex_lock(&disk->lock);
    look(disk);
    if (disk->reserved > 0 && disk->free < FULL_BYTES)
        give_up(disk);
    else if (disk->reserved < disk->wanted && disk->free > 2 * disk->wanted + FULL_BYTES)
        make(disk);
    look(disk);
    g_mutex_unlock(&disk->lock);
}

Disk *disk_new(const Config *config)
{
    Disk *disk = g_new0(Disk, 1);
    disk->folder = g_strdup(config_text(config, "node", "data"));
    disk->path = g_build_filename(disk->folder, RESERVE_NAME, NULL);
    disk->wanted = (guint64)MAX(config_integer(config, "node", "disk_reserve"), 0);
    disk->warn = (guint64)MAX(config_integer(config, "node", "disk_warn"), 0);
    g_mutex_init(&disk->lock);
    disk_tick(disk);
    return disk;
}

void disk_free(Disk *disk)
{
    if (disk == NULL)
        return;
    g_mutex_clear(&disk->lock);
    g_free(disk->folder);
    g_free(disk->path);
    g_free(disk);
}

void disk_health(Disk *disk, json_t *checks)
{
    g_mutex_lock(&disk->lock);
    look(disk);
    gboolean short_of_room = disk->free < disk->warn, gone = disk->reserved < disk->wanted;
    g_autofree char *output =
        g_strdup_printf("%" G_GUINT64_FORMAT " MiB are free for data%s", disk->free >> 20,
                        gone ? ", and the reserve is used up: make room now" : "");
    g_mutex_unlock(&disk->lock);
    if (short_of_room || gone)
        health_add(checks, "disk", HEALTH_WARN, output);
}

void disk_metrics(Disk *disk, GString *out)
{
    g_mutex_lock(&disk->lock);
    look(disk);
    const struct {
        const char *name, *type, *help;
        guint64 value;
    } rows[] = {
        {"fundament_disk_size_bytes", "gauge", "Size of the disk of the node's data.", disk->size},
        {"fundament_disk_free_bytes", "gauge", "What is free on it.", disk->free},
        {"fundament_disk_reserve_bytes", "gauge", "What the node keeps for when it is full.", disk->reserved},
        {"fundament_disk_reserve_given_up_total", "counter", "How often it had to be given up.",
         disk->given_up},
    };
    g_mutex_unlock(&disk->lock);
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
        g_string_append_printf(out, "# HELP %s %s\n# TYPE %s %s\n%s %" G_GUINT64_FORMAT "\n", rows[i].name,
                               rows[i].help, rows[i].name, rows[i].type, rows[i].name, rows[i].value);
}

/* What the files of the configuration reader share: scanning (config_scan.c), values (config_value.c),
 * checking (config.c). */
#pragma once

#include "core/node/config.h"

#define CONFIG_MAX_BYTES 1048576 /* 1 MiB */

typedef struct {
    char *key;
    char *text;     /* as written; paths are made absolute when the value is checked */
    guint line;     /* 0: a fallback */
    gint64 integer; /* CONFIG_INTEGER and CONFIG_BOOLEAN */
    char **list;    /* CONFIG_LIST; else NULL */
} ConfigEntry;

typedef struct {
    char *name;
    guint line;
    GPtrArray *entries; /* ConfigEntry*, in file order */
    GHashTable *by_key; /* borrowed from `entries` */
} ConfigSection;

typedef struct {
    GPtrArray *sections; /* ConfigSection*, in file order */
    GHashTable *by_name; /* borrowed from `sections` */
} ConfigText;

ConfigFaults *config_faults_new(void);
gboolean config_faults_any(const ConfigFaults *faults);
/* Frees them, after appending "path:line: text" for each to `out`, in the order of the lines; those without a
 * line come last. */
void config_faults_report(ConfigFaults *faults, const char *path, GPtrArray *out);

/* Reads lines into sections and entries. Never NULL. */
ConfigText *config_scan(const char *text, gsize length, ConfigFaults *faults);
void config_text_free(ConfigText *text);
ConfigSection *config_text_section(ConfigText *text, const char *name, guint line);
ConfigEntry *config_section_add(ConfigSection *section, const char *key, const char *value, guint line);

/* Checks the value of an entry against its key and fills in what the kind asks for. `folder` is where
 * relative paths begin. A fault names the key. */
void config_value_check(ConfigEntry *entry, const ConfigKey *key, const char *section, const char *folder,
                        ConfigFaults *faults);

/* An IPv4 or IPv6 address. */
gboolean config_ip_valid(const char *text);
/* The words of a list. Caller frees. */
char **config_words(const char *text);

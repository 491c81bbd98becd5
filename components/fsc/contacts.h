/* The table fsc_contacts: what our Manager found out about the Managers of other Peers. Functions that take a
 * Db work inside the caller's transaction, when it has one. */
#pragma once

#include "core/store/store.h"

typedef struct {
    char *peer_id;
    gint64 delivered_ms; /* when it took something of ours last; 0: never, as of the other two */
    gint64 probed_ms;    /* when it was asked who it is */
    char *probe_error;   /* NULL: it answered */
    char *fsc_version;   /* as it says itself; NULL: not known */
    char *extensions;    /* its enabled_extensions, JSON; NULL: not known */
    gboolean offset_known;
    gint64 clock_offset_ms; /* its clock minus ours; the Date header counts whole seconds */
    gint64 reconciled_ms;  /* when its contracts were compared with ours to the end of what there was to do */
    char *reconcile_error; /* NULL: the last comparison went well */
    char *their_cursor;    /* where in its list the next comparison goes on; "": at the beginning */
    gint64 our_cursor;     /* the id of our contract after which the next comparison goes on */
} Contact;

void contact_free(Contact *contact);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Contact, contact_free)

/* All, by Peer ID. Array of Contact* with a free function. */
GPtrArray *contacts_list(Db *db, GError **error);
/* One with zeros and NULLs when nothing is known. NULL only with an error. */
Contact *contacts_find(Db *db, const char *peer_id, GError **error);

/* It took something; written down at most once a second. */
gboolean contacts_delivered(Db *db, const char *peer_id, gint64 now_ms, GError **error);
/* What it answered, or with `probe_error` that it did not: then what was known before stays. */
gboolean contacts_probed(Db *db, const Contact *found, gint64 now_ms, GError **error);
/* The version that it was heard to speak, outside a probe. */
gboolean contacts_heard_version(Db *db, const char *peer_id, const char *fsc_version, GError **error);
/* reconcile_error, cursors, and reconciled_ms when that is not 0. */
gboolean contacts_reconciled(Db *db, const Contact *found, GError **error);

/* The Peer IDs that some contract names, our own too. Array of strings with a free function. */
GPtrArray *contacts_partners(Db *db, GError **error);

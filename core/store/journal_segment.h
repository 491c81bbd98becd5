/* One segment file of the journal: its bytes, reading it, and finding its end after a crash. Not for other
 * folders. The layout is in journal.h and docs/journal.md. */
#pragma once

#include "core/store/journal.h"

/* The first one is small, so that a new journal opens at once and a quiet one stays small. */
#define SEGMENT_SIZE ((guint64)64 * 1024 * 1024)
#define SEGMENT_SIZE_FIRST ((guint64)4 * 1024 * 1024)
#define SEGMENT_HEADER_SIZE 64
#define RECORD_HEADER_SIZE 28  /* length, CRC, kind, flags, sequence, time */
#define RECORD_COVERED_SIZE 20 /* of these, what the CRC covers and the length counts: from kind on */
#define RECORD_FLAG_FIRST                                                                                    \
    1 /* the first record of its batch: all before it was on disk when this was written */
#define SEGMENT_NAME_SIZE 32
#define SEGMENT_MAKING ".making" /* behind the name of one that is not ready */

typedef struct {
    guint32 shard;
    guint64 number;
    guint64 first_sequence;
    guint32 generation;
} SegmentHeader;

typedef enum { SEGMENT_HEADER_VALID, SEGMENT_HEADER_EMPTY, SEGMENT_HEADER_BAD } SegmentHeaderState;

void segment_header_write(const SegmentHeader *header, guint8 out[SEGMENT_HEADER_SIZE]);
SegmentHeaderState segment_header_parse(const guint8 bytes[SEGMENT_HEADER_SIZE], SegmentHeader *header);

/* The time of the record whose first bytes these are, unchecked; 0 when there is none. */
gint64 record_time(const guint8 bytes[RECORD_HEADER_SIZE]);

/* "000000000001.segment" */
void segment_name(guint64 number, char out[SEGMENT_NAME_SIZE]);
/* 0 when it is not the name of a segment. */
guint64 segment_name_parse(const char *name);

/* Bytes that a record with so much data takes in the file. */
gsize record_size(gsize data_length);

/* Puts header and CRC before the data, which stands at bytes + RECORD_HEADER_SIZE, and zeros behind it. */
void record_seal(guint8 *bytes, gsize data_length, guint16 kind, guint16 flags, guint64 sequence,
                 gint64 time_us);

typedef enum {
    RECORD_VALID,
    RECORD_END, /* a length of zero, or no room for a record */
    RECORD_BAD,
    RECORD_FAILED, /* the file cannot be read: an error is set */
} RecordState;

/* The record at the start of `bytes`. When its length is plausible `needed` gets what it takes in the file,
 * otherwise 0; when that is more than `available` the state is RECORD_BAD. */
RecordState record_parse(const guint8 *bytes, gsize available, JournalRecord *record, guint16 *flags,
                         gsize *needed);

/* Walks a segment with a small buffer. `fd` is borrowed. */
typedef struct {
    int fd;
    guint64 size;   /* of the file */
    guint64 offset; /* of the next record */
    guint16 flags;  /* of the last record */
    gsize needed;   /* what it takes, or claims to take; 0 when that is not plausible */
    guint8 *buffer;
    gsize capacity;
    guint64 buffered_from;
    gsize buffered;
} SegmentReader;

void segment_reader_init(SegmentReader *reader, int fd, guint64 size, guint64 offset);
void segment_reader_clear(SegmentReader *reader);
/* RECORD_VALID moves on; the record is valid until the next call. */
RecordState segment_reader_next(SegmentReader *reader, JournalRecord *record, GError **error);

/* The end of the records in a segment after a start, found by reading from `offset`, where `sequence` is
 * expected. */
typedef struct {
    guint64 end;           /* where the next record goes */
    guint64 next_sequence; /* its sequence */
    guint64 dirty_end;     /* from `end` up to here are the remains of a write that was cut short; equal when
                              there are none */
} SegmentEnd;

typedef void (*SegmentFound)(const JournalRecord *record, guint64 offset, gpointer user_data);

/* `found` is called for each record. FALSE with FUNDAMENT_ERROR_IO when it is damaged (what was acknowledged
 * cannot be read) or cannot be read at all; nothing is written. */
gboolean segment_find_end(int fd, const char *name, guint64 size, guint64 offset, guint64 sequence,
                          SegmentFound found, gpointer user_data, SegmentEnd *end, GError **error);

/* The same for a segment without a header: it is unused, or its very first batch was cut short. */
gboolean segment_find_unused(int fd, const char *name, guint64 size, guint64 sequence, SegmentEnd *end,
                             GError **error);

/* Makes a segment full of zeros, on disk under its name when this returns; an older one by that name is
 * replaced. */
gboolean segment_make(int folder_fd, guint64 number, guint64 size, GError **error);

/* Writes zeros over a part and waits for the disk. */
gboolean segment_clear(int fd, guint64 from, guint64 to, GError **error);

/* Reads exactly `length` bytes unless the file ends; -1 with errno otherwise. */
gssize segment_pread(int fd, void *out, gsize length, guint64 offset);

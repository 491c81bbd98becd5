/* Numbers in files: little endian, at any address. */
#pragma once

#include <glib.h>
#include <string.h>

static inline void put16(guint8 *at, guint16 value)
{
    value = GUINT16_TO_LE(value);
    memcpy(at, &value, sizeof value);
}

static inline void put32(guint8 *at, guint32 value)
{
    value = GUINT32_TO_LE(value);
    memcpy(at, &value, sizeof value);
}

static inline void put64(guint8 *at, guint64 value)
{
    value = GUINT64_TO_LE(value);
    memcpy(at, &value, sizeof value);
}

static inline guint16 get16(const guint8 *at)
{
    guint16 value = 0;
    memcpy(&value, at, sizeof value);
    return GUINT16_FROM_LE(value);
}

static inline guint32 get32(const guint8 *at)
{
    guint32 value = 0;
    memcpy(&value, at, sizeof value);
    return GUINT32_FROM_LE(value);
}

static inline guint64 get64(const guint8 *at)
{
    guint64 value = 0;
    memcpy(&value, at, sizeof value);
    return GUINT64_FROM_LE(value);
}

/* The two loops that touch every pixel of a photo: recolour it, and shrink it by whole factors.

   No Python in here: the file is loaded with ctypes, which releases the interpreter's lock, so a
   photo's bands of rows run on all cores, and one build serves every version of Python.
   fallback.py and resample.py do the same in numpy and Pillow where this file was not compiled; the
   tests hold the two together. */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(_WIN32)
#define EXPORT __declspec(dllexport)
#else
#define EXPORT __attribute__((visibility("default")))
#endif

/* One binary for every x86-64: the loader picks the widest vectors that the processor has. */
#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && __GNUC__ >= 12 && \
    !defined(__clang__)
#define WIDEST __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define WIDEST
#endif

#if defined(_MSC_VER)
#define INLINE static __forceinline
#define RESTRICT __restrict
#else
#define INLINE static inline __attribute__((always_inline))
#define RESTRICT restrict
#endif

/* Pixels worked on at a time: seven float buffers of them stay in the first-level cache. */
#define CHUNK 256

enum kind { U8 = 0, U16 = 1, F32 = 2 };

/* Adding and taking away 1.5 * 2^23 rounds a float below 2^22 to the nearest integer, halves to
   even, as numpy.rint does, and is vectorised by every compiler. */
#define ROUNDER 12582912.0f

typedef struct {
    const float *near_cell; /* 12: [A | b] of the column of cells on the left */
    float slope[12];        /* what the column on the right adds */
    const float *share;     /* of the right column, per pixel */
    float white;
} span;

#define LOAD(NAME, TYPE)                                                                        \
    INLINE void NAME(const TYPE *RESTRICT px, int n, float *RESTRICT r, float *RESTRICT g,       \
                     float *RESTRICT b)                                                          \
    {                                                                                            \
        for (int i = 0; i < n; i++) {                                                            \
            r[i] = (float)px[3 * i];                                                             \
            g[i] = (float)px[3 * i + 1];                                                         \
            b[i] = (float)px[3 * i + 2];                                                         \
        }                                                                                        \
    }
LOAD(load_u8, uint8_t)
LOAD(load_u16, uint16_t)
LOAD(load_f32, float)

/* Integers: where the mask is 0 the blend gives back the very number, so all may be stored. */
#define STORE(NAME, TYPE)                                                                       \
    INLINE void NAME(TYPE *RESTRICT px, int n, const float *RESTRICT r, const float *RESTRICT g, \
                     const float *RESTRICT b)                                                    \
    {                                                                                            \
        for (int i = 0; i < n; i++) {                                                            \
            px[3 * i] = (TYPE)(int32_t)((r[i] + ROUNDER) - ROUNDER);                             \
            px[3 * i + 1] = (TYPE)(int32_t)((g[i] + ROUNDER) - ROUNDER);                         \
            px[3 * i + 2] = (TYPE)(int32_t)((b[i] + ROUNDER) - ROUNDER);                         \
        }                                                                                        \
    }
STORE(store_u8, uint8_t)
STORE(store_u16, uint16_t)

/* Floats: minus zero plus zero is plus zero, so what the mask leaves out is not written. */
INLINE void store_f32(float *RESTRICT px, int n, const float *RESTRICT r, const float *RESTRICT g,
                      const float *RESTRICT b, const float *RESTRICT mask)
{
    for (int i = 0; i < n; i++) {
        if (mask[i] > 0) {
            px[3 * i] = r[i];
            px[3 * i + 1] = g[i];
            px[3 * i + 2] = b[i];
        }
    }
}

/* Reads a chunk of the mask as coverage in [0,1]; says whether any of it is foreground. */
INLINE int load_mask(const char *row, int kind, int start, int n, float *RESTRICT mask)
{
    int any = 0;
    if (kind == U8) {
        const uint8_t *values = (const uint8_t *)row + start;
        for (int i = 0; i < n; i++) any |= values[i];
        if (any)
            for (int i = 0; i < n; i++) mask[i] = (float)values[i] / 255.0f;
    } else if (kind == U16) {
        const uint16_t *values = (const uint16_t *)row + start;
        for (int i = 0; i < n; i++) any |= values[i];
        if (any)
            for (int i = 0; i < n; i++) mask[i] = (float)values[i] / 65535.0f;
    } else {
        const float *values = (const float *)row + start;
        for (int i = 0; i < n; i++) any |= values[i] > 0;
        if (any) memcpy(mask, values, (size_t)n * sizeof(float));
    }
    return any;
}

INLINE float channel(const float *a, const float *d, float r, float g, float b, float t, float old,
                     float m, float white)
{
    float new = (a[0] * r + a[1] * g + a[2] * b + a[3]) +
                t * (d[0] * r + d[1] * g + d[2] * b + d[3]);
    new = new > 0 ? new : 0;
    new = new < white ? new : white;
    return old + m * (new - old);
}

/* x + mask * (clip(A x + b) - x), with A x + b linear from one column of cells to the next. */
INLINE void recolour(const span *s, int from, int n, float *RESTRICT r, float *RESTRICT g,
                     float *RESTRICT b, const float *RESTRICT mask)
{
    float a[12], d[12];
    memcpy(a, s->near_cell, sizeof a);
    memcpy(d, s->slope, sizeof d);
    const float white = s->white;
    const float *RESTRICT share = s->share + from;
    for (int i = 0; i < n; i++) {
        const float r0 = r[i], g0 = g[i], b0 = b[i], t = share[i], m = mask[i];
        r[i] = channel(a, d, r0, g0, b0, t, r0, m, white);
        g[i] = channel(a + 4, d + 4, r0, g0, b0, t, g0, m, white);
        b[i] = channel(a + 8, d + 8, r0, g0, b0, t, b0, m, white);
    }
}

WIDEST static void render_row(char *pixels, int kind, const char *mask_row, int mask_kind,
                              const float *coefficients, const int32_t *near_column,
                              const int32_t *far_column, const float *share, int left, int right,
                              float white)
{
    float r[CHUNK], g[CHUNK], b[CHUNK], mask[CHUNK];
    span s;
    s.share = share;
    s.white = white;
    for (int start = left, stop; start < right; start = stop) {
        const int cell = near_column[start];
        for (stop = start + 1; stop < right && stop - start < CHUNK && near_column[stop] == cell;)
            stop++;
        const int n = stop - start;
        if (!load_mask(mask_row, mask_kind, start, n, mask)) continue;
        s.near_cell = coefficients + 12 * cell;
        for (int i = 0; i < 12; i++)
            s.slope[i] = coefficients[12 * far_column[start] + i] - s.near_cell[i];
        if (kind == U8) {
            uint8_t *px = (uint8_t *)pixels + 3 * (ptrdiff_t)start;
            load_u8(px, n, r, g, b);
            recolour(&s, start, n, r, g, b, mask);
            store_u8(px, n, r, g, b);
        } else if (kind == U16) {
            uint16_t *px = (uint16_t *)pixels + 3 * (ptrdiff_t)start;
            load_u16(px, n, r, g, b);
            recolour(&s, start, n, r, g, b, mask);
            store_u16(px, n, r, g, b);
        } else {
            float *px = (float *)pixels + 3 * (ptrdiff_t)start;
            load_f32(px, n, r, g, b);
            recolour(&s, start, n, r, g, b, mask);
            store_f32(px, n, r, g, b, mask);
        }
    }
}

/* Recolour the rows [top, bottom) of a photo of packed RGB.

   source, target: where the rows are read and written; the same, or not overlapping at all.
   row_scratch: 12 * cells_across floats of this caller's own.
   grid: (cells_down, cells_across, 12) floats for colours in [0, white]. */
EXPORT void samelight_render(const void *source, void *target, int kind, const void *mask,
                             int mask_kind, int width, int top, int bottom, int left, int right,
                             const float *grid, int cells_across, const int32_t *near_row,
                             const int32_t *far_row, const float *row_share,
                             const int32_t *near_column, const int32_t *far_column,
                             const float *column_share, float white, float *row_scratch)
{
    static const int bytes[] = {1, 2, 4};
    const size_t row_bytes = (size_t)width * 3 * bytes[kind];
    const size_t mask_bytes = (size_t)width * bytes[mask_kind];
    const int count = 12 * cells_across;
    for (int y = top; y < bottom; y++) {
        char *row = (char *)target + row_bytes * y;
        if (source != target) memcpy(row, (const char *)source + row_bytes * y, row_bytes);
        const float *near = grid + (ptrdiff_t)count * near_row[y];
        const float *far = grid + (ptrdiff_t)count * far_row[y];
        for (int i = 0; i < count; i++)
            row_scratch[i] = near[i] + (far[i] - near[i]) * row_share[y];
        render_row(row, kind, (const char *)mask + mask_bytes * y, mask_kind, row_scratch,
                   near_column, far_column, column_share, left, right, white);
    }
}

#define SUM_ROW(NAME, TYPE, EIGHT_BITS)                                                         \
    WIDEST static void NAME(const TYPE *RESTRICT row, size_t n, uint32_t *RESTRICT sums)         \
    {                                                                                            \
        for (size_t i = 0; i < n; i++) sums[i] += (uint32_t)(EIGHT_BITS);                        \
    }
SUM_ROW(sum_u8, uint8_t, row[i])
SUM_ROW(sum_u16, uint16_t, row[i] >> 8)
SUM_ROW(sum_f32, float, (int32_t)((row[i] * 255.0f + ROUNDER) - ROUNDER))

/* Average blocks of down x across pixels to 8 bits, for the rows [top, bottom) of the result.

   source: (height, width, bands) of values in [0, white].
   target: (ceil(height / down), ceil(width / across), bands); the last blocks may be smaller.
   sums: width * bands numbers of this caller's own. */
EXPORT void samelight_resample(const void *source, int kind, int height, int width, int bands,
                             int down, int across, int top, int bottom, uint8_t *target,
                             uint32_t *sums)
{
    static const int bytes[] = {1, 2, 4};
    const size_t row_values = (size_t)width * bands;
    const int target_width = (width + across - 1) / across;
    for (int y = top; y < bottom; y++) {
        const int first = y * down, last = first + down < height ? first + down : height;
        memset(sums, 0, row_values * sizeof *sums);
        for (int v = first; v < last; v++) {
            const char *row = (const char *)source + row_values * bytes[kind] * v;
            if (kind == U8) sum_u8((const uint8_t *)row, row_values, sums);
            else if (kind == U16) sum_u16((const uint16_t *)row, row_values, sums);
            else sum_f32((const float *)row, row_values, sums);
        }
        uint8_t *out = target + (size_t)target_width * bands * y;
        for (int x = 0; x < target_width; x++) {
            const int begin = x * across, end = begin + across < width ? begin + across : width;
            const uint32_t count = (uint32_t)(end - begin) * (uint32_t)(last - first);
            for (int c = 0; c < bands; c++) {
                uint32_t sum = count / 2;
                for (int u = begin; u < end; u++) sum += sums[(size_t)u * bands + c];
                *out++ = (uint8_t)(sum / count);
            }
        }
    }
}

/* Raised with every change of a signature: a build left over from older source is not used. */
EXPORT int samelight_kernel_version(void) { return 2; }

/* A stand-in for libcudart on a machine without a GPU: a device with 1 MiB whose memory is the host's. Signatures as
 * in cuda_runtime_api.h (CUDA 13), so that calling conventions and struct sizes are really exercised. */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#ifndef DEVICE_ERROR
#define DEVICE_ERROR 0 /* what cudaGetDeviceCount and cudaSetDevice return */
#endif
#define TOTAL ((size_t)1 << 20)

typedef int cudaError_t;
struct stream { int live; };
struct event { struct timespec at; };

static size_t used;
static cudaError_t last;
static cudaError_t fail(cudaError_t e) { return last = e; }

cudaError_t cudaRuntimeGetVersion(int *v) { *v = 13000; return 0; }
cudaError_t cudaDriverGetVersion(int *v) { *v = 13010; return 0; }
const char *cudaGetErrorName(cudaError_t e) {
  return e == 2 ? "cudaErrorMemoryAllocation" : e == 1 ? "cudaErrorInvalidValue" : e == 35 ? "cudaErrorInsufficientDriver"
       : e == 100 ? "cudaErrorNoDevice" : "cudaErrorUnknown";
}
const char *cudaGetErrorString(cudaError_t e) { return e == 2 ? "out of memory" : e == 1 ? "invalid argument" : "other"; }
cudaError_t cudaGetLastError(void) { cudaError_t e = last; last = 0; return e; }
cudaError_t cudaGetDeviceCount(int *n) { *n = 1; return fail(DEVICE_ERROR); }
cudaError_t cudaSetDevice(int d) { return fail(DEVICE_ERROR ? DEVICE_ERROR : d == 0 ? 0 : 1); }
cudaError_t cudaDeviceGetPCIBusId(char *id, int length, int device) {
  if (device != 0 || length < 13) return fail(1);
  strcpy(id, "0000:04:00.0");
  return 0;
}
cudaError_t cudaDeviceSynchronize(void) { return 0; }
cudaError_t cudaMemGetInfo(size_t *f, size_t *t) { *f = TOTAL - used; *t = TOTAL; return 0; }

/* The size lies in front of the block, 256 bytes as CUDA aligns. */
cudaError_t cudaMalloc(void **p, size_t n) {
  if (n > TOTAL - used) return fail(2);
  char *block = aligned_alloc(256, (n + 511) / 256 * 256);
  *(size_t *)block = n;
  used += n;
  *p = block + 256;
  return 0;
}
cudaError_t cudaFree(void *p) {
  if (!p) return 0;
  char *block = (char *)p - 256;
  used -= *(size_t *)block;
  free(block);
  return 0;
}
cudaError_t cudaMallocHost(void **p, size_t n) { return (*p = malloc(n)) ? 0 : fail(2); }
cudaError_t cudaFreeHost(void *p) { free(p); return 0; }

cudaError_t cudaMemcpy(void *dst, const void *src, size_t n, int kind) {
  if (kind < 1 || kind > 3) return fail(1);
  memcpy(dst, src, n);
  return 0;
}
cudaError_t cudaMemcpyAsync(void *dst, const void *src, size_t n, int kind, struct stream *s) {
  return s && s->live ? cudaMemcpy(dst, src, n, kind) : fail(1);
}
cudaError_t cudaMemset(void *p, int value, size_t n) { memset(p, value, n); return 0; }
cudaError_t cudaMemsetAsync(void *p, int value, size_t n, struct stream *s) {
  return s && s->live ? cudaMemset(p, value, n) : fail(1);
}

cudaError_t cudaStreamCreateWithFlags(struct stream **s, unsigned flags) {
  if (flags != 1) return fail(1);
  *s = malloc(sizeof **s);
  (*s)->live = 1;
  return 0;
}
cudaError_t cudaStreamSynchronize(struct stream *s) { return s->live ? 0 : fail(1); }
cudaError_t cudaStreamDestroy(struct stream *s) { if (!s->live) return fail(1); s->live = 0; return 0; }

cudaError_t cudaEventCreate(struct event **e) { *e = calloc(1, sizeof **e); return 0; }
cudaError_t cudaEventRecord(struct event *e, struct stream *s) { (void)s; clock_gettime(CLOCK_MONOTONIC, &e->at); return 0; }
cudaError_t cudaEventSynchronize(struct event *e) { return e->at.tv_sec ? 0 : fail(1); }
cudaError_t cudaEventElapsedTime(float *ms, struct event *a, struct event *b) {
  *ms = (b->at.tv_sec - a->at.tv_sec) * 1e3f + (b->at.tv_nsec - a->at.tv_nsec) / 1e6f;
  return 0;
}
cudaError_t cudaEventDestroy(struct event *e) { free(e); return 0; }

/* A stand-in for libnvidia-ml on a machine without a GPU: two GPUs, and processes the test sets. Signatures and structs
 * as in nvml.h (CUDA 13). */
#include <string.h>
#include <stdio.h>
#include <time.h>

typedef int nvmlReturn_t;
typedef struct device { unsigned index; } *nvmlDevice_t;
typedef struct { unsigned long long total, free, used; } nvmlMemory_t;
typedef struct {
  unsigned int pid;
  unsigned long long usedGpuMemory;
  unsigned int gpuInstanceId, computeInstanceId;
} nvmlProcessInfo_t;

static struct device devices[2] = {{0}, {1}};
static const char *uuids[2] = {"GPU-1111aaaa-0000", "GPU-1111bbbb-0000"};
static const char *buses[2] = {"00000000:04:00.0", "00000000:05:00.0"};
static int started;
static volatile unsigned long long used[2] = {1 << 20, 1 << 20};
static volatile unsigned process_pid, others;
static volatile unsigned long long process_bytes;
static volatile int failure;
static volatile long delay_us;
/* What the GPU does: SM clock, power, temperature, reasons; and how long each of these calls takes. */
static volatile unsigned sm_mhz = 1410, power_mw = 90000, temperature = 41, reasons = 1;
static volatile long moment_delay_us;
static int power_calls;

/* For the test: what NVML shall say. `others` other processes are listed before this one. */
void stub_set(unsigned pid, unsigned long long bytes, unsigned long long device_used, unsigned other_processes) {
  process_pid = pid; process_bytes = bytes; used[0] = device_used; others = other_processes;
}
void stub_fail(int code) { failure = code; }
void stub_delay(long us) { delay_us = us; }
void stub_moment(unsigned sm, unsigned power, unsigned celsius, unsigned why) {
  sm_mhz = sm; power_mw = power; temperature = celsius; reasons = why;
}
void stub_moment_delay(long us) { moment_delay_us = us; }
int stub_power_calls(void) { return power_calls; }
int stub_started(void) { return started; }

nvmlReturn_t nvmlInit_v2(void) {
#ifdef INIT_ERROR
  return INIT_ERROR;
#else
  __sync_fetch_and_add(&started, 1);
  return 0;
#endif
}
nvmlReturn_t nvmlShutdown(void) { return __sync_fetch_and_sub(&started, 1) > 0 ? 0 : 1; }
const char *nvmlErrorString(nvmlReturn_t r) {
  return r == 2 ? "Invalid Argument" : r == 3 ? "Not Supported" : r == 6 ? "Not Found" : r == 9 ? "Driver Not Loaded"
       : r == 15 ? "GPU is lost" : "Unknown Error";
}
static nvmlReturn_t put(char *out, unsigned length, const char *text) {
  if (strlen(text) + 1 > length) return 7;
  strcpy(out, text);
  return 0;
}
nvmlReturn_t nvmlSystemGetDriverVersion(char *v, unsigned n) { return put(v, n, "580.95.05"); }
nvmlReturn_t nvmlSystemGetCudaDriverVersion_v2(int *v) { *v = 13010; return 0; }
nvmlReturn_t nvmlDeviceGetCount_v2(unsigned *n) { *n = 2; return started ? 0 : 1; }
nvmlReturn_t nvmlDeviceGetHandleByIndex_v2(unsigned i, nvmlDevice_t *d) {
  if (i > 1) return 2;
  *d = &devices[i];
  return 0;
}
static nvmlReturn_t find(const char *id, const char **ids, nvmlDevice_t *d) {
  for (int i = 0; i < 2; i++) if (!strcmp(id, ids[i])) { *d = &devices[i]; return 0; }
  return 6;
}
nvmlReturn_t nvmlDeviceGetHandleByUUID(const char *uuid, nvmlDevice_t *d) { return find(uuid, uuids, d); }
nvmlReturn_t nvmlDeviceGetHandleByPciBusId_v2(const char *id, nvmlDevice_t *d) {
  char domain8[64]; /* NVML takes a domain of 4 digits as well */
  snprintf(domain8, sizeof domain8, "0000%s", id);
  return find(id, buses, d) == 0 ? 0 : find(domain8, buses, d);
}
nvmlReturn_t nvmlDeviceGetName(nvmlDevice_t d, char *out, unsigned n) { return put(out, n, d->index ? "NVIDIA T4" : "NVIDIA H100"); }
nvmlReturn_t nvmlDeviceGetUUID(nvmlDevice_t d, char *out, unsigned n) { return put(out, n, uuids[d->index]); }
nvmlReturn_t nvmlDeviceGetIndex(nvmlDevice_t d, unsigned *i) { *i = d->index; return 0; }
nvmlReturn_t nvmlDeviceGetMemoryInfo(nvmlDevice_t d, nvmlMemory_t *m) {
  m->total = 80ull << 30;
  m->used = used[d->index];
  m->free = m->total - m->used;
  return 0;
}
static void pause_us(long us) {
  if (!us) return;
  struct timespec t = {us / 1000000, us % 1000000 * 1000};
  nanosleep(&t, NULL);
}
/* The second GPU does not tell its clocks, power and temperature, as a MIG instance. */
nvmlReturn_t nvmlDeviceGetClockInfo(nvmlDevice_t d, int type, unsigned *mhz) {
  pause_us(moment_delay_us);
  *mhz = type == 1 ? sm_mhz : type == 2 ? 2619 : 0;
  return d->index ? 3 : 0;
}
nvmlReturn_t nvmlDeviceGetMaxClockInfo(nvmlDevice_t d, int type, unsigned *mhz) {
  *mhz = type == 1 ? 1980 : type == 2 ? 2619 : 0;
  return d->index ? 3 : 0;
}
#ifndef OLD_DRIVER
nvmlReturn_t nvmlDeviceGetCurrentClocksEventReasons(nvmlDevice_t d, unsigned long long *why) {
#else
nvmlReturn_t nvmlDeviceGetCurrentClocksThrottleReasons(nvmlDevice_t d, unsigned long long *why) {
#endif
  *why = reasons;
  return d->index ? 3 : 0;
}
#ifndef NEW_DRIVER /* one that no longer has these */
nvmlReturn_t nvmlDeviceGetPowerUsage(nvmlDevice_t d, unsigned *mw) {
  pause_us(moment_delay_us);
  __sync_fetch_and_add(&power_calls, 1);
  *mw = power_mw;
  return d->index ? 3 : 0;
}
nvmlReturn_t nvmlDeviceGetTemperature(nvmlDevice_t d, int sensor, unsigned *celsius) {
  *celsius = temperature;
  return sensor != 0 ? 2 : d->index ? 3 : 0;
}
#endif
nvmlReturn_t nvmlDeviceGetComputeRunningProcesses_v3(nvmlDevice_t d, unsigned *count, nvmlProcessInfo_t *infos) {
  pause_us(delay_us);
  if (failure) return failure;
  unsigned n = d->index ? 0 : others + (process_pid ? 1 : 0), room = *count;
  *count = n;
  if (n > room) return 7;
  for (unsigned i = 0; i < n; i++) {
    nvmlProcessInfo_t p = {1000000 + i, 1 << 30, ~0u, ~0u};
    if (i == others) { p.pid = process_pid; p.usedGpuMemory = process_bytes; }
    infos[i] = p;
  }
  return 0;
}

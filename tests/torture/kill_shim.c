/*
 * Kills its own process with SIGKILL at the KILL_AT-th call, from 0, of fsync, fdatasync or rename on a path under
 * KILL_UNDER: before the call if KILL_WHEN is "before", else as soon as it has returned. Every call that has returned
 * is a line of KILL_LOG.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static atomic_int calls;

static int is_watched(const char *path) {
  const char *under = getenv("KILL_UNDER");
  return under && strncmp(path, under, strlen(under)) == 0;
}

static int is_watched_fd(int fd) {
  char link[64], path[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  return is_watched(path);
}

static void die_if(int call, const char *when) {
  const char *at = getenv("KILL_AT"), *wanted = getenv("KILL_WHEN");
  if (at && wanted && atoi(at) == call && strcmp(wanted, when) == 0) {
    kill(getpid(), SIGKILL);
    pause();
  }
}

static void note(const char *name) {
  const char *log = getenv("KILL_LOG");
  int fd = log ? open(log, O_WRONLY | O_CREAT | O_APPEND, 0600) : -1;
  if (fd < 0) return;
  if (write(fd, name, strlen(name)) < 0) _exit(99);
  close(fd);
}

#define WATCH(name, watched, call)               \
  if (!(watched)) return call;                   \
  int at = atomic_fetch_add(&calls, 1);          \
  die_if(at, "before");                          \
  int result = call;                             \
  note(name "\n");                               \
  die_if(at, "after");                           \
  return result

int fsync(int fd) {
  int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
  WATCH("fsync", is_watched_fd(fd), real(fd));
}

int fdatasync(int fd) {
  int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
  WATCH("fdatasync", is_watched_fd(fd), real(fd));
}

int rename(const char *from, const char *to) {
  int (*real)(const char *, const char *) = (int (*)(const char *, const char *))dlsym(RTLD_NEXT, "rename");
  WATCH("rename", is_watched(to), real(from, to));
}

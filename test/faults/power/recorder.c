/*
 * Records, in the order in which they happened, all calls of a program that change the files of one folder.
 *
 * Preloaded (LD_PRELOAD) into the program. APEX_RECORD_DIR: the folder, absolute. APEX_RECORD_LOG: file for the
 * records, outside of it. Each call runs and is recorded under one lock, so that the log's order is the order of
 * the effects, across threads. What the program writes into the folder's file `marks` is recorded as a note of
 * its own: that is how it says what it has promised, in line with the writes.
 *
 * A record: u32 operation, u32 length of the name, u32 length of the data, u32 unused, u64 offset or size;
 * then name (within the folder) and data. Little-endian.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { CREATE = 1, WRITE, SYNC, TRUNCATE, UNLINK, RENAME, SYNC_FOLDER, MARK };

#define MOST_FDS 4096
#define NAME_BYTES 128
#define FOLDER_NAME "."
#define MARKS "marks"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
/* Name within the folder of each open descriptor; empty where it is of no interest. */
static char names[MOST_FDS][NAME_BYTES];
static char folder[4096];
static int log_fd = -1;

#define REAL(name) ((__typeof__(&name))real(#name))

static void *real(const char *name) {
  void *found = dlsym(RTLD_NEXT, name);
  if (found == NULL) abort();
  return found;
}

__attribute__((constructor)) static void start(void) {
  const char *dir = getenv("APEX_RECORD_DIR");
  const char *path = getenv("APEX_RECORD_LOG");
  if (dir == NULL || path == NULL) return;
  snprintf(folder, sizeof folder, "%s", dir);
  log_fd = REAL(open64)(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (log_fd < 0) abort();
}

/* The path's name within the folder, or null. */
static const char *inside(const char *path) {
  size_t length = strlen(folder);
  if (log_fd < 0 || length == 0 || strncmp(path, folder, length) != 0) return NULL;
  if (path[length] == '\0') return FOLDER_NAME;
  if (path[length] != '/') return NULL;
  return path[length + 1] == '\0' ? FOLDER_NAME : path + length + 1;
}

static const char *name_of(int fd) {
  return fd >= 0 && fd < MOST_FDS && names[fd][0] != '\0' ? names[fd] : NULL;
}

static void put(const void *bytes, size_t length) {
  const char *from = bytes;
  while (length > 0) {
    ssize_t written = REAL(write)(log_fd, from, length);
    if (written <= 0) abort();
    from += written;
    length -= (size_t)written;
  }
}

static void record(uint32_t operation, const char *name, uint64_t offset, const void *data, size_t length) {
  struct {
    uint32_t operation, name_length, data_length, unused;
    uint64_t offset;
  } head = {operation, (uint32_t)strlen(name), (uint32_t)length, 0, offset};
  put(&head, sizeof head);
  put(name, head.name_length);
  put(data, length);
}

static int opened(int fd, const char *name, int is_new, int flags) {
  if (fd < 0 || fd >= MOST_FDS) return fd;
  snprintf(names[fd], NAME_BYTES, "%s", name == NULL ? "" : name);
  if (name == NULL || strcmp(name, MARKS) == 0) return fd;
  if (is_new) record(CREATE, name, 0, "", 0);
  else if (flags & O_TRUNC) record(TRUNCATE, name, 0, "", 0);
  return fd;
}

int open64(const char *path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  pthread_mutex_lock(&lock);
  const char *name = inside(path);
  int is_new = name != NULL && (flags & O_CREAT) && access(path, F_OK) != 0;
  int fd = opened(REAL(open64)(path, flags, mode), name, is_new, flags);
  int error = errno;
  pthread_mutex_unlock(&lock);
  errno = error;
  return fd;
}

int open(const char *path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  return open64(path, flags, mode);
}

int close(int fd) {
  pthread_mutex_lock(&lock);
  if (fd >= 0 && fd < MOST_FDS) names[fd][0] = '\0';
  int result = REAL(close)(fd);
  pthread_mutex_unlock(&lock);
  return result;
}

/* Runs `call` under the lock and records it where it succeeded. */
#define RECORDED(type, fd, call, on_success)                                                       \
  do {                                                                                             \
    const char *name = name_of(fd);                                                                \
    if (name == NULL) return call;                                                                 \
    pthread_mutex_lock(&lock);                                                                     \
    type result = call;                                                                            \
    int error = errno;                                                                             \
    if (result >= 0) on_success;                                                                   \
    pthread_mutex_unlock(&lock);                                                                   \
    errno = error;                                                                                 \
    return result;                                                                                 \
  } while (0)

ssize_t pwrite64(int fd, const void *data, size_t length, off64_t offset) {
  RECORDED(ssize_t, fd, REAL(pwrite64)(fd, data, length, offset),
           record(WRITE, name, (uint64_t)offset, data, (size_t)result));
}

ssize_t pwrite(int fd, const void *data, size_t length, off_t offset) {
  return pwrite64(fd, data, length, offset);
}

ssize_t write(int fd, const void *data, size_t length) {
  off64_t offset = name_of(fd) == NULL ? 0 : lseek64(fd, 0, SEEK_CUR);
  RECORDED(ssize_t, fd, REAL(write)(fd, data, length),
           record(strcmp(name, MARKS) == 0 ? MARK : WRITE, name, (uint64_t)offset, data, (size_t)result));
}

/* Not used by SQLite; a use of it for the folder's files would go unseen. */
ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t offset) {
  if (name_of(fd) != NULL) abort();
  return REAL(pwritev64)(fd, parts, count, offset);
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
  if (name_of(fd) != NULL) abort();
  return REAL(writev)(fd, parts, count);
}

int fsync(int fd) {
  RECORDED(int, fd, REAL(fsync)(fd),
           record(strcmp(name, FOLDER_NAME) == 0 ? SYNC_FOLDER : SYNC, name, 0, "", 0));
}

int fdatasync(int fd) { RECORDED(int, fd, REAL(fdatasync)(fd), record(SYNC, name, 0, "", 0)); }

int ftruncate64(int fd, off64_t size) {
  RECORDED(int, fd, REAL(ftruncate64)(fd, size), record(TRUNCATE, name, (uint64_t)size, "", 0));
}

int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }

int unlink(const char *path) {
  pthread_mutex_lock(&lock);
  const char *name = inside(path);
  int result = REAL(unlink)(path);
  int error = errno;
  if (result == 0 && name != NULL) record(UNLINK, name, 0, "", 0);
  pthread_mutex_unlock(&lock);
  errno = error;
  return result;
}

int rename(const char *from, const char *to) {
  pthread_mutex_lock(&lock);
  const char *name = inside(from);
  const char *target = inside(to);
  int result = REAL(rename)(from, to);
  int error = errno;
  if (result == 0 && name != NULL && target != NULL) record(RENAME, name, 0, target, strlen(target));
  pthread_mutex_unlock(&lock);
  errno = error;
  return result;
}

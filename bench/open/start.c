// Starts a program once, its output thrown away, and prints what the start took:
//
//   start PROGRAM ARGUMENTS...            microseconds from before exec to the end, and of processor time
//   start --memory PROGRAM ARGUMENTS...   KiB at the end of its life: memory of its own, mapped pages of files
//
// The parent is small: a process inherits the peak memory of the one that starts it, and copies its page tables.

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void fail(const char *what) {
  fprintf(stderr, "start: %s: %s\n", what, strerror(errno));
  exit(74);
}

static double microseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1e6 + now.tv_nsec / 1e3;
}

static long kibibytes(pid_t process, const char *name) {
  char path[64], line[256];
  snprintf(path, sizeof path, "/proc/%d/status", process);
  FILE *file = fopen(path, "r");
  if (!file) fail(path);
  long value = -1;
  while (fgets(line, sizeof line, file)) {
    if (strncmp(line, name, strlen(name)) == 0) sscanf(line + strlen(name), ": %ld", &value);
  }
  fclose(file);
  return value;
}

int main(int count, char **arguments) {
  int measures_memory = count > 1 && strcmp(arguments[1], "--memory") == 0;
  char **command = arguments + 1 + measures_memory;
  if (!*command) {
    fprintf(stderr, "usage: start [--memory] PROGRAM ARGUMENTS...\n");
    return 64;
  }
  int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (nowhere < 0) fail("/dev/null");
  double began = microseconds();
  pid_t process = vfork();
  if (process < 0) fail("vfork");
  if (process == 0) {
    dup2(nowhere, STDOUT_FILENO);
    if (measures_memory) ptrace(PTRACE_TRACEME, 0, NULL, NULL);
    execv(*command, command);
    _exit(127);
  }
  int status;
  struct rusage usage;
  if (wait4(process, &status, 0, &usage) < 0) fail("wait4");
  double ended = microseconds();
  if (measures_memory) {
    // It stands behind its exec, then runs until it is about to end.
    ptrace(PTRACE_SETOPTIONS, process, NULL, (void *)PTRACE_O_TRACEEXIT);
    int signal = 0;
    while (ptrace(PTRACE_CONT, process, NULL, (void *)(long)signal) == 0 && waitpid(process, &status, 0) >= 0 &&
           WIFSTOPPED(status)) {
      int is_end = status >> 8 == (SIGTRAP | PTRACE_EVENT_EXIT << 8);
      if (is_end) printf("%ld %ld\n", kibibytes(process, "RssAnon"), kibibytes(process, "RssFile"));
      signal = is_end ? 0 : WSTOPSIG(status);
    }
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    fprintf(stderr, "start: %s ended with status %d\n", *command, WIFEXITED(status) ? WEXITSTATUS(status) : -1);
    return 1;
  }
  if (!measures_memory) {
    double used = (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6;
    printf("%.0f %.0f\n", ended - began, used + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
  }
  return 0;
}

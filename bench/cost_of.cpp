// cost_of PROGRAM ARGUMENTS..: runs a program and prints its wall seconds, CPU seconds and peak memory
// in bytes on stderr's last line. A program of its own since a process that a large one starts counts
// its starter's memory as its peak.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <ctime>

namespace {

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
}

double now() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

}  // namespace

int main(int, char** words) {
  const double begin = now();
  const pid_t child = fork();
  if (child == 0) {
    execvp(words[1], words + 1);
    _exit(127);
  }
  int status = 0;
  rusage used;
  if (child < 0 || wait4(child, &status, 0, &used) < 0) return 127;
  const double wall = now() - begin;
  std::fprintf(stderr, "%.6f %.6f %ld\n", wall, seconds(used.ru_utime) + seconds(used.ru_stime),
               used.ru_maxrss * 1024);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

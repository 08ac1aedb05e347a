// SPDX-License-Identifier: Apache-2.0
// SIGINT, SIGTERM and SIGUSR1, which mpirun passes on, as a number that a long loop looks at between two steps.
#pragma once

namespace espalier {

// From now on the first of these signals is remembered, the same one again ends the program at once. Forgets what came
// before. To be called from the main thread.
void catch_stop_signals();

int stop_signal();  // the one that came, 0: none

struct Stopped {  // ends a program with exit code 128 + signal, as an Error ends it with 2
  int signal;
};
void throw_if_stopped();  // for long work of which nothing is kept until it is done

}  // namespace espalier

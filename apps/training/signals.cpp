// SPDX-License-Identifier: Apache-2.0
// The handler has a stack of its own. oneDNN's sgemm (2.6) moves the stack pointer into a block of the heap while it
// computes: what the system would push there for a handler overwrites whatever lies below the block.
#include "apps/training/signals.h"

#include <array>
#include <csignal>

namespace espalier {
namespace {

volatile std::sig_atomic_t received = 0;
void on_signal(int signal) { received = signal; }

}  // namespace

void catch_stop_signals() {
  alignas(16) static std::array<char, 65536> stack;  // the state of AVX-512 and AMX takes 11 kB of it
  stack_t own{};
  own.ss_sp = stack.data();
  own.ss_size = stack.size();
  sigaltstack(&own, nullptr);
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = static_cast<int>(SA_ONSTACK | SA_RESTART | SA_RESETHAND);
  received = 0;
  for (const int signal : {SIGINT, SIGTERM, SIGUSR1}) sigaction(signal, &action, nullptr);
}

int stop_signal() { return received; }

void throw_if_stopped() {
  if (stop_signal() != 0) throw Stopped{stop_signal()};
}

}  // namespace espalier

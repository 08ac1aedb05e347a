// SPDX-License-Identifier: Apache-2.0
#include "apps/cli/before_main.h"

#include <unistd.h>

#include <array>
#include <csignal>
#include <cstring>
#include <exception>
#include <new>

namespace espalier {
namespace {

std::array<char, 64> program_text = {"espalier"};

// Writes without memory of its own: there may be none.
void say(const char* text) noexcept {
  for (size_t left = std::strlen(text); left > 0;) {
    const ssize_t n = ::write(STDERR_FILENO, text, left);
    if (n <= 0) return;
    text += n;
    left -= static_cast<size_t>(n);
  }
}

[[noreturn]] void end_in_one_line() noexcept {
  say(program_text.data());
  say(": ");
  try {
    if (std::current_exception() != nullptr) throw;
    say("out of memory, or a fault of its own");  // without memory there is not even an exception
  } catch (const std::bad_alloc&) { say("out of memory"); } catch (const std::exception& e) {
    const bool thread = std::strstr(e.what(), "pthread_create") != nullptr;  // oneTBB's words
    say(thread ? "the system allows no more threads, or no memory for them; try --threads 1" : e.what());
  } catch (...) { say("ended by a fault of its own"); }
  say("\n");
  _exit(1);
}

void before_main(int argc, char** argv, char** /*environment*/) {
  std::signal(SIGXFSZ, SIG_IGN);
  std::set_terminate(end_in_one_line);
  if (argc < 1) return;
  const char* slash = std::strrchr(argv[0], '/');
  std::strncpy(program_text.data(), slash == nullptr ? argv[0] : slash + 1, program_text.size() - 1);
}

// The dynamic loader calls what is in this section of a program before the constructors of its libraries.
[[gnu::section(".preinit_array"), gnu::used]] void (*const before_libraries)(int, char**, char**) = before_main;

}  // namespace

const char* program_name() noexcept { return program_text.data(); }

}  // namespace espalier

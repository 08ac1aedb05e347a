// SPDX-License-Identifier: Apache-2.0
// What is set in a program before anything else runs, even the constructors of the libraries that it loads:
// - A file that reaches the limit of its size (ulimit -f) is an error of writing, as a full disk is, and no signal.
// - What nobody can catch, such as an exception in a destructor or in a thread of oneTBB, ends in one line: exit
// code 1.
#pragma once

namespace espalier {

// Of the running program, without its folder. Calling it links all of the above into the program.
const char* program_name() noexcept;

}  // namespace espalier

// SPDX-License-Identifier: Apache-2.0
// One process: a build without MPI, or a program that mpirun has not started.
#include "core/ranks.h"

namespace espalier {

struct Transfer::State {};

int rank() { return 0; }
int ranks() { return 1; }
bool started_by_mpirun() { return false; }
bool any_rank(bool mine) { return mine; }
void Transfer::wait() { state_.reset(); }
bool Transfer::done() const { return true; }
Transfer send(int /*to*/, Channel /*channel*/, std::span<const std::byte> /*bytes*/) { return {}; }
Transfer receive(int /*from*/, Channel /*channel*/, std::span<std::byte> /*bytes*/) { return {}; }
std::vector<std::string> gather_all(std::string_view bytes) { return {std::string(bytes)}; }
std::vector<double> gather_all(std::span<const double> numbers) { return {numbers.begin(), numbers.end()}; }
void expect_same_on_all(const std::string& /*what*/, const std::string& /*text*/) {}
Traffic traffic() { return {}; }

}  // namespace espalier

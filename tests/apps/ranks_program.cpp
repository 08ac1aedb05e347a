// SPDX-License-Identifier: Apache-2.0
// A program for tests of what is below every training on several ranks: messages, and the ways in which a run ends.
#include <csignal>
#include <iostream>
#include <numeric>
#include <thread>

#include "apps/cli/program.h"
#include "core/check.h"
#include "core/ranks.h"
#include "core/ranks/join.h"

namespace {
using namespace espalier;

struct RanksProgram {
  std::string what = "messages", text = "the same";
  int64_t megabytes = 8;

  void declare(Options& rows) {
    rows.add("what", what, "to do").positional();
    rows.add("text", text, "which all ranks need the same of").free();
    rows.add("megabytes", megabytes, "of a message");
  }

  // Several messages on each channel to each rank, small and large ones; those of one channel keep their order.
  void messages() const {
    const auto large = static_cast<size_t>(megabytes) << 18;  // numbers of four bytes
    std::vector<std::vector<uint32_t>> out, in;
    std::vector<Transfer> transfers;
    for (const Channel channel : {Channel::gradients, Channel::values, Channel::rows})
      for (int r = 0; r < ranks(); ++r)
        for (uint32_t i = 0; i < 20 && r != rank(); ++i) {
          const size_t size = i % 7 == 3 ? large : i;
          const auto tag = static_cast<uint32_t>(channel) * 1000 + i;
          out.emplace_back(size, tag + 100000 * static_cast<uint32_t>(rank()));
          in.emplace_back(size);
          transfers.push_back(send(r, channel, std::as_bytes(std::span(out.back()))));
          transfers.push_back(receive(r, channel, std::as_writable_bytes(std::span(in.back()))));
        }
    transfers.clear();
    size_t at = 0;
    for (const Channel channel : {Channel::gradients, Channel::values, Channel::rows})
      for (int r = 0; r < ranks(); ++r)
        for (uint32_t i = 0; i < 20 && r != rank(); ++i)
          for (const uint32_t value : in[at++])
            CHECK(value == static_cast<uint32_t>(channel) * 1000 + i + 100000 * static_cast<uint32_t>(r), "message ", i,
                  " of rank ", r, " has ", value);
    const Traffic now = traffic();
    CHECK(now.bytes_sent > int64_t{3} * megabytes << 20 && now.bytes_received > int64_t{3} * megabytes << 20,
          "bytes are not counted");
  }

  static void gathers() {
    for (const size_t size : {size_t{0}, size_t{3}, size_t{1016}, size_t{1017}, size_t{300000}}) {
      const auto own = [&](int r) { return std::string(size + static_cast<size_t>(r), static_cast<char>('a' + r)); };
      const std::vector<std::string> all = gather_all(own(rank()));
      for (int r = 0; r < ranks(); ++r) CHECK(all.at(static_cast<size_t>(r)) == own(r), "gather_all of ", size);
    }
    std::vector<double> mine(static_cast<size_t>(rank()) + 1, rank());
    CHECK(std::ssize(gather_all(mine)) == ranks() * (ranks() + 1) / 2, "gather_all of numbers");
    CHECK(any_rank(is_first_rank()) && !any_rank(false), "any_rank");
  }

  // Until something ends the process.
  [[noreturn]] static void wait() {
    std::byte nothing{};
    for (int from = is_first_rank() ? 1 : 0;;) receive(from, Channel::values, std::span(&nothing, 1)).wait();
  }

  int run(const CommonOptions& /*common*/) const {
    const bool last = rank() == ranks() - 1;
    if (what == "error-of-all" || (what == "error" && last)) throw Error("file.tsv: is not there");
    if (what == "error-of-first" && is_first_rank()) throw Failure("the disk is full");
    if (what == "error-with-message" && last) {
      std::vector<std::byte> bytes(1 << 20);
      const Transfer never = receive(0, Channel::values, bytes);
      throw Failure("the disk is full");
    }
    if (what == "killed" && last) std::raise(SIGKILL);
    if (what == "stopped" && last) std::raise(SIGSTOP);
    if (what == "hangs" && last) std::this_thread::sleep_for(std::chrono::minutes(5));
    if (what != "messages") wait();
    expect_same_on_all("the text", text);
    messages();
    gathers();
    std::cout << "rank " << rank() << " of " << ranks() << " is content\n";
    return 0;
  }
};

}  // namespace

int main(int argc, char** argv) {
  return run_program<RanksProgram>(argc, argv, "What ranks do.\nExample: ranks_program messages", join_ranks);
}

// SPDX-License-Identifier: Apache-2.0
#include "core/ranks.h"

#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstring>
#include <exception>
#include <thread>

#include "core/check.h"
#include "core/ranks/carrier.h"
#include "core/ranks/join.h"

namespace espalier {
namespace {

std::atomic<int64_t> waited = 0;  // nanoseconds

Transfer start(Transfer::State* message) {
  std::shared_ptr<Transfer::State> shared(message);
  carrier().post(shared);
  return Transfer(std::move(shared));
}

// The first message of gather_all: the number of bytes, and as many of them as fit.
struct Head {
  uint64_t size = 0;
  std::array<char, 1016> bytes{};

  size_t here() const { return std::min<size_t>(size, bytes.size()); }
};

std::span<const std::byte> rest(std::string_view bytes) {
  return std::as_bytes(std::span(bytes)).subspan(std::min(bytes.size(), Head().bytes.size()));
}

}  // namespace

Carrier& carrier() {
  static Carrier only;
  return only;
}

int rank() { return carrier().rank; }
int ranks() { return carrier().ranks; }

std::string name_of_rank(int rank) {
  const std::string text = "rank " + std::to_string(rank);
  return carrier().met ? text + " (host " + carrier().hosts[static_cast<size_t>(rank)] + ")" : text;
}

void Transfer::wait() {
  if (!state_) return;
  if (!state_->done) {
    const auto start = std::chrono::steady_clock::now();
    std::unique_lock lock(state_->mutex);
    ++carrier().waiting;
    state_->changed.wait(lock, [&] { return state_->done.load(); });
    --carrier().waiting;
    waited += (std::chrono::steady_clock::now() - start) / std::chrono::nanoseconds(1);
  }
  state_.reset();
}

bool Transfer::done() const { return !state_ || state_->done; }

Transfer::~Transfer() {
  if (!done() && std::uncaught_exceptions() > 0)
    carrier().abandon();
  else
    wait();
}

Transfer send(int to, Channel channel, std::span<const std::byte> bytes) {
  return start(new Transfer::State{to, channel, true, const_cast<std::byte*>(bytes.data()), bytes.size()});
}

Transfer receive(int from, Channel channel, std::span<std::byte> bytes) {
  return start(new Transfer::State{from, channel, false, bytes.data(), bytes.size()});
}

std::vector<std::string> gather_all(std::string_view bytes) {
  std::vector<std::string> all(static_cast<size_t>(ranks()));
  all[static_cast<size_t>(rank())] = bytes;
  if (ranks() == 1) return all;
  Head mine{.size = bytes.size()};
  if (!bytes.empty()) std::memcpy(mine.bytes.data(), bytes.data(), mine.here());
  std::vector<Head> heads(all.size());
  std::vector<Transfer> sent, received;
  for (int r = 0; r < ranks(); ++r) {
    if (r == rank()) continue;
    received.push_back(
        receive(r, Channel::control, std::as_writable_bytes(std::span(&heads[static_cast<size_t>(r)], 1))));
    sent.push_back(send(r, Channel::control, std::as_bytes(std::span(&mine, 1))));
    if (!rest(bytes).empty()) sent.push_back(send(r, Channel::control, rest(bytes)));
  }
  for (Transfer& t : received) t.wait();
  for (size_t r = 0; r < all.size(); ++r) {
    if (static_cast<int>(r) == rank()) continue;
    all[r].assign(heads[r].bytes.data(), heads[r].here());
    all[r].resize(heads[r].size);
    const auto more = std::as_writable_bytes(std::span(all[r])).subspan(heads[r].here());
    if (!more.empty()) received.push_back(receive(static_cast<int>(r), Channel::control, more));
  }
  for (Transfer& t : received) t.wait();
  for (Transfer& t : sent) t.wait();
  return all;
}

std::vector<double> gather_all(std::span<const double> numbers) {
  const std::span<const std::byte> bytes = std::as_bytes(numbers);
  std::vector<double> all;
  for (const std::string& text :
       gather_all(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()))) {
    const size_t before = all.size();
    all.resize(before + text.size() / sizeof(double));
    if (!text.empty()) std::memcpy(all.data() + before, text.data(), text.size());
  }
  return all;
}

bool any_rank(bool mine) {
  for (const std::string& text : gather_all(std::string_view(mine ? "1" : "")))
    if (!text.empty()) return true;
  return false;
}

void expect_same_on_all(const std::string& what, const std::string& text) {
  const std::vector<std::string> all = gather_all(text);
  for (size_t r = 1; r < all.size(); ++r)
    CHECK(all[r] == all[0], what, ": ", name_of_rank(static_cast<int>(r)), " has ", all[r], ", and ", name_of_rank(0),
          " has ", all[0], "; all ranks need the same");
}

Traffic traffic() {
  if (carrier().traffic == nullptr) return {};
  Traffic now = carrier().traffic();
  now.seconds_waited = static_cast<double>(waited) * 1e-9;
  return now;
}

void leave_ranks() {
  if (ranks() == 1) return;
  gather_all(std::string_view());
  carrier().close();
  carrier().ranks = 1;
}

void end_ranks(const std::string& line, int code) {
  const int own = started().rank;  // the ranks may not have met
  if (own > 0) {
    // mpirun ends this process by SIGTERM, or the carrier does, where rank 0 has the same to say.
    std::signal(SIGTERM, SIG_DFL);
    std::this_thread::sleep_for(std::chrono::milliseconds(1000 + 100 * own));
  }
  const std::string text = line + "\n";  // in one piece, so that no other rank writes in the middle of it
  (void)!::write(STDERR_FILENO, text.data(), text.size());
  if (carrier().end != nullptr) carrier().end(code);
  _exit(code);
}

}  // namespace espalier

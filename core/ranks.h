// SPDX-License-Identifier: Apache-2.0
// The processes of one run, which mpirun starts, each with the whole model: rank 0 … ranks() - 1. Without mpirun there
// is one. Messages travel while the program goes on, and whoever waits for one sleeps. A rank that is gone, or has been
// silent for too long, ends the run with one line that names it. mpi.cpp is the only file that sees MPI.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace espalier {

int rank();                                          // of this process
int ranks();                                         // processes of the run; 1: nothing below does anything
inline bool is_first_rank() { return rank() == 0; }  // which writes files and speaks
bool started_by_mpirun();                            // or by srun; also where it started one process
std::string name_of_rank(int rank);                  // "rank 2 (host b)", for errors

// What messages are about. Between two ranks, those of one channel arrive in the order in which they were sent.
enum class Channel : int { control, gradients, values, rows };

// A message on its way. Its bytes must stay where they are until wait() returns; the destructor waits. Where an
// exception is on its way instead, no message arrives from then on: this process is about to end the run.
class Transfer {
 public:
  struct State;
  Transfer() = default;
  explicit Transfer(std::shared_ptr<State> state) : state_(std::move(state)) {}
  Transfer(Transfer&&) noexcept = default;
  Transfer& operator=(Transfer&& other) noexcept {
    wait();
    state_ = std::move(other.state_);
    return *this;
  }
  ~Transfer();

  void wait();  // asleep, until the bytes are there or may be changed
  bool done() const;

 private:
  std::shared_ptr<State> state_;
};

// `to` and `from` are other ranks. The receiver knows how many bytes come.
Transfer send(int to, Channel channel, std::span<const std::byte> bytes);
Transfer receive(int from, Channel channel, std::span<std::byte> bytes);

// Called by every rank, with bytes of any number: those of each, by rank.
std::vector<std::string> gather_all(std::string_view bytes);
// The same for numbers: those of rank 0, then those of rank 1, …
std::vector<double> gather_all(std::span<const double> numbers);
bool any_rank(bool mine);  // called by every rank: whether it is true on one of them

// Called by every rank: throws Error, naming the rank and both texts, where a rank has another `text` than rank 0.
// `what` is what they say: "the training data".
void expect_same_on_all(const std::string& what, const std::string& text);

// What this process has sent and waited for so far.
struct Traffic {
  int64_t bytes_sent = 0, bytes_received = 0;
  double seconds_waited = 0;  // by the thread that needed what had not come yet
  double seconds_busy = 0;    // with at least one message on its way
};
Traffic traffic();

}  // namespace espalier

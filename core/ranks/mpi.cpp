// SPDX-License-Identifier: Apache-2.0
// Messages over MPI: one thread owns all of MPI's calls. It sleeps between two looks at what is on its way, the longer
// the longer nothing came, so that waiting costs no core. The only file that sees MPI.
#define OMPI_SKIP_MPICXX 1
#include <mpi.h>

#include <sched.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <optional>
#include <thread>

#include "core/check.h"
#include "core/format.h"
#include "core/ranks/carrier.h"
#include "core/ranks/watch.h"

namespace espalier {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr size_t most_bytes = size_t{1} << 30;  // of one of MPI's messages
constexpr int note_tag = 0;                     // a channel's tag is its number and 1

using Note = int;  // of one process's thread to those of the others: it lives, or the code with which the run ends
constexpr Note alive = -1;

class MpiThread {
 public:
  enum class State { starting, open, closing, abandoned, ending };

  MpiThread() {
    sigset_t all, before;  // signals are for the thread that trains
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    thread_ = std::thread([this] { run(); });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return state_ != State::starting; });
  }

  int rank() const { return rank_; }
  int ranks() const { return ranks_; }

  void post(std::shared_ptr<Transfer::State> message) {
    {
      const std::scoped_lock lock(mutex_);
      if (state_ != State::open) throw Failure("a message between ranks was given up before this one");
      (message->outgoing ? traffic_.bytes_sent : traffic_.bytes_received) += static_cast<int64_t>(message->size);
      posted_.push_back(std::move(message));
    }
    changed_.notify_all();
  }

  // To a state in which the thread waits for the end (abandoned), or ends, and with `ending` the process.
  void leave(State next, int code = 0) {
    std::unique_lock lock(mutex_);
    if (state_ != State::open && state_ != State::abandoned) return;
    state_ = next;
    code_ = code;
    changed_.notify_all();
    changed_.wait(lock, [&] { return left_; });
    lock.unlock();
    if (next != State::abandoned) thread_.join();
  }

  Traffic traffic() {
    const std::scoped_lock lock(mutex_);
    return traffic_;
  }

 private:
  void run() {
    setenv("OMPI_MCA_mpi_yield_when_idle", "1", 0);  // while it starts and ends: ranks may share a core
    setenv("OPAL_OUTPUT_REDIRECT", "file", 0);       // what Open MPI itself says of a lost rank, many times
    prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);    // else a short sleep lasts 50 microseconds longer
    int provided = 0;
    MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided);
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank_);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks_);
    watch_.emplace(rank_, ranks_);
    beats_.assign(static_cast<size_t>(ranks_), MPI_REQUEST_NULL);
    expect_note();
    {
      const std::scoped_lock lock(mutex_);
      state_ = State::open;
    }
    changed_.notify_all();
    State state = State::open;
    while (state == State::open || (state == State::closing && !requests_.empty())) {
      look();
      state = rest();
    }
    std::unique_lock lock(mutex_);
    left_ = true;
    changed_.notify_all();
    changed_.wait(lock, [&] { return state_ != State::abandoned; });
    state = state_;
    lock.unlock();
    if (state == State::closing) finalize();
    if (state == State::ending) end_all(code_);
  }

  // Begins what was posted, and finishes what has arrived.
  void look() {
    std::vector<std::shared_ptr<Transfer::State>> news;
    {
      const std::scoped_lock lock(mutex_);
      news.swap(posted_);
    }
    const auto now = Clock::now();
    if (!requests_.empty()) busy_ += now - looked_;
    looked_ = now;
    if (!news.empty()) active_ = now;
    for (const auto& message : news) begin(message);
    test();
    if (now - beat_ >= seconds(1)) beat(now);
  }

  void begin(const std::shared_ptr<Transfer::State>& message) {
    const int tag = static_cast<int>(message->channel) + 1;
    size_t at = 0;
    do {
      const int size = static_cast<int>(std::min(most_bytes, message->size - at));
      MPI_Request request = MPI_REQUEST_NULL;
      std::byte* const bytes = message->bytes + at;
      const int code = message->outgoing
                           ? MPI_Isend(bytes, size, MPI_BYTE, message->peer, tag, MPI_COMM_WORLD, &request)
                           : MPI_Irecv(bytes, size, MPI_BYTE, message->peer, tag, MPI_COMM_WORLD, &request);
      if (code != MPI_SUCCESS) lost(message->peer, "cannot be reached any more");
      requests_.push_back(request);
      parts_.push_back({message, size});
      ++message->parts;
      at += most_bytes;
    } while (at < message->size);
  }

  void test() {
    test_notes();
    if (requests_.empty()) return;
    const int all = static_cast<int>(requests_.size());
    indices_.resize(requests_.size());
    statuses_.resize(requests_.size());
    int count = 0;
    const int code = MPI_Testsome(all, requests_.data(), &count, indices_.data(), statuses_.data());
    if (count == MPI_UNDEFINED || count == 0) return;
    active_ = Clock::now();
    for (int i = 0; i < count; ++i) {
      Part& part = parts_[static_cast<size_t>(indices_[static_cast<size_t>(i)])];
      const MPI_Status& status = statuses_[static_cast<size_t>(i)];
      const int peer = part.message->peer;
      if (code != MPI_SUCCESS && status.MPI_ERROR != MPI_SUCCESS) lost(peer, "cannot be reached any more");
      if (!part.message->outgoing) {
        int size = 0;
        MPI_Get_count(&status, MPI_BYTE, &size);
        if (size != part.size) lost(peer, format("has sent %d bytes where %d were expected", size, part.size));
        watch_->heard_of(peer);
      }
      if (--part.message->parts == 0) part.message->finish();
      part.message.reset();
    }
    std::erase_if(parts_, [](const Part& part) { return part.message == nullptr; });
    std::erase(requests_, MPI_REQUEST_NULL);
  }

  void test_notes() {
    for (int arrived = 1;;) {
      MPI_Status status;
      MPI_Test(&note_request_, &arrived, &status);
      if (arrived == 0) return;
      if (note_ != alive) _exit(note_);
      watch_->heard_of(status.MPI_SOURCE);
      expect_note();
    }
  }

  void expect_note() {
    MPI_Irecv(&note_, sizeof note_, MPI_BYTE, MPI_ANY_SOURCE, note_tag, MPI_COMM_WORLD, &note_request_);
  }

  // Each second: tells all others that this process lives, and looks for one that has not said so for too long.
  void beat(Clock::time_point now) {
    beat_ = now;
    for (int r = 0; r < ranks_; ++r) {
      MPI_Request& request = beats_[static_cast<size_t>(r)];
      int sent = 1;
      MPI_Test(&request, &sent, MPI_STATUS_IGNORE);  // at once, if there is none
      if (r != rank_ && sent != 0) MPI_Isend(&alive, sizeof alive, MPI_BYTE, r, note_tag, MPI_COMM_WORLD, &request);
    }
    if (const std::string line = watch_->lost(now); !line.empty()) end_with(line);
    if (const std::string line = watch_->hangs(); !line.empty()) end_with(line);
  }

  [[noreturn]] void lost(int r, const std::string& why) { end_with(line_of_lost(r, why)); }

  [[noreturn]] void end_with(const std::string& line) {
    (void)!::write(STDERR_FILENO, line.data(), line.size());
    end_mpirun_later();
    end_all(1);
  }

  // Sleeps until there is something to do, or until it is time to look again.
  State rest() {
    const auto quiet = Clock::now() - active_;
    std::unique_lock lock(mutex_);
    const auto called = [&] { return !posted_.empty() || (state_ != State::open && requests_.empty()); };
    traffic_.seconds_busy = std::chrono::duration<double>(busy_).count();
    if (!called() && !requests_.empty() && quiet < microseconds(20)) {
      lock.unlock();
      sched_yield();
      lock.lock();
    } else if (!called()) {
      const auto pause = requests_.empty() ? Clock::duration(milliseconds(100))
                                           : std::clamp<Clock::duration>(quiet / 8, microseconds(20), milliseconds(1));
      changed_.wait_for(lock, pause, called);
    }
    return state_;
  }

  void finalize() {
    MPI_Cancel(&note_request_);
    MPI_Request_free(&note_request_);
    for (MPI_Request& request : beats_)
      if (request != MPI_REQUEST_NULL) MPI_Request_free(&request);
    MPI_Finalize();
  }

  // Without MPI's own end, which would wait for ranks that are gone.
  [[noreturn]] void end_all(int code) {
    std::vector<MPI_Request> requests(static_cast<size_t>(ranks_), MPI_REQUEST_NULL);
    for (int r = 0; r < ranks_; ++r)
      if (r != rank_)
        MPI_Isend(&code, sizeof code, MPI_BYTE, r, note_tag, MPI_COMM_WORLD, &requests[static_cast<size_t>(r)]);
    int all = 0;
    for (int i = 0; i < 50 && all == 0; ++i) {
      MPI_Testall(ranks_, requests.data(), &all, MPI_STATUSES_IGNORE);
      std::this_thread::sleep_for(milliseconds(2));
    }
    std::this_thread::sleep_for(milliseconds(200));  // who still reads from this process is gone before it
    _exit(code);
  }

  struct Part {
    std::shared_ptr<Transfer::State> message;
    int size;
  };

  int rank_ = 0, ranks_ = 0;
  std::mutex mutex_;  // of what follows
  std::condition_variable changed_;
  State state_ = State::starting;
  std::vector<std::shared_ptr<Transfer::State>> posted_;
  Traffic traffic_;
  int code_ = 0;
  bool left_ = false;  // the thread has seen that it is no longer open

  // Of the thread alone.
  std::vector<MPI_Request> requests_;  // on their way
  std::vector<Part> parts_;            // the same
  std::vector<int> indices_;
  std::vector<MPI_Status> statuses_;
  Note note_ = alive;
  MPI_Request note_request_ = MPI_REQUEST_NULL;
  std::vector<MPI_Request> beats_;  // the last note to each rank
  std::optional<Watch> watch_;
  Clock::time_point beat_, looked_, active_;  // the last note; the last look; when something began or arrived
  Clock::duration busy_{};
  std::thread thread_;
};

MpiThread* mpi = nullptr;  // from open_carrier to the end of the process

}  // namespace

void open_carrier(int ranks) {
  mpi = new MpiThread;
  CHECK(mpi->ranks() == ranks, "mpirun has started ", ranks, " processes, but this program's MPI sees ", mpi->ranks(),
        "; start it with the mpirun of the MPI that it was built with");
  Carrier& c = carrier();
  c.rank = mpi->rank();
  c.ranks = ranks;
  c.post = [](std::shared_ptr<Transfer::State> message) { mpi->post(std::move(message)); };
  c.abandon = [] { mpi->leave(MpiThread::State::abandoned); };
  c.end = [](int code) { mpi->leave(MpiThread::State::ending, code); };
  c.close = [] { mpi->leave(MpiThread::State::closing); };
  c.traffic = [] { return mpi->traffic(); };
}

}  // namespace espalier

// SPDX-License-Identifier: Apache-2.0
// Signals that come in the middle of products: they are seen, and leave the heap as it was.
#include "apps/training/signals.h"

#include <gtest/gtest.h>
#include <pthread.h>

#include <chrono>
#include <csignal>
#include <thread>
#include <vector>

#include "core/products/gemm.h"

namespace espalier {
namespace {

TEST(StopSignal, IsRememberedAndForgotten) {
  catch_stop_signals();
  EXPECT_EQ(stop_signal(), 0);
  std::raise(SIGTERM);
  EXPECT_EQ(stop_signal(), SIGTERM);
  catch_stop_signals();
  EXPECT_EQ(stop_signal(), 0);
  std::raise(SIGINT);
  EXPECT_EQ(stop_signal(), SIGINT);
  struct sigaction now {};
  sigaction(SIGINT, nullptr, &now);
  EXPECT_EQ(now.sa_handler, SIG_DFL) << "the same one again ends the program";
}

TEST(StopSignal, InTheMiddleOfAProductHarmsNothing) {
  const std::vector<float> a(96 * 128, 1), b(128 * 128, 2);
  std::vector<float> c(96 * 128);
  const Gemm<float> product = {
      .m = 96, .n = 128, .k = 128, .a = a.data(), .lda = 128, .b = b.data(), .ldb = 128, .c = c.data(), .ldc = 128};
  const pthread_t main_thread = pthread_self();
  for (int i = 0; i < 400; ++i) {
    catch_stop_signals();
    std::thread sender([&] {
      std::this_thread::sleep_for(std::chrono::microseconds(50 + 13 * (i % 50)));
      pthread_kill(main_thread, SIGINT);
    });
    while (stop_signal() == 0) gemm(std::span(&product, 1));  // frees blocks of the heap, which glibc checks
    sender.join();
    gemm(std::span(&product, 1));
    for (const float v : c) ASSERT_EQ(v, 256) << i;
  }
}

}  // namespace
}  // namespace espalier

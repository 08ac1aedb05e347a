// SPDX-License-Identifier: Apache-2.0
#include "core/kernels/isa.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/check.h"
#include "core/kernels/probe.h"

namespace espalier::kernels {
namespace {

class IsaTest : public testing::Test {
 protected:
  void TearDown() override { set_isa(best_); }
  const std::string best_ = current_isa();
};

TEST_F(IsaTest, each_available_one_can_be_chosen) {
  const std::vector<std::string> names = available_isas();
  ASSERT_FALSE(names.empty());
  for (const std::string& name : names) {
    set_isa(name);
    EXPECT_EQ(current_isa(), name);
    EXPECT_EQ(available_isas(), names) << "after " << name;  // asking does not change what runs
    EXPECT_EQ(current_isa(), name);
  }
  set_isa("");
  EXPECT_EQ(current_isa(), names.front());
}

TEST_F(IsaTest, an_unknown_name_is_answered_with_the_known_ones) {
  const std::vector<std::string> names = available_isas();
  set_isa(names.back());
  try {
    set_isa("avx1024");
    FAIL() << "nothing was thrown";
  } catch (const Error& e) {
    const std::string text = e.what();
    EXPECT_NE(text.find("avx1024"), std::string::npos) << text;
    for (const std::string& name : names) EXPECT_NE(text.find(name), std::string::npos) << text;
  }
  EXPECT_EQ(current_isa(), names.back()) << "a refused name changes nothing";
}

TEST_F(IsaTest, lowering_hides_what_the_cpu_offers_beyond) {
  const std::vector<std::string> names = available_isas();
  if (names.size() < 2) GTEST_SKIP() << "only one instruction set";
  for (const std::string& name : names) {
    set_isa(name);
    EXPECT_EQ(has_amx_bf16() || has_amx_int8(), name == "amx");
    EXPECT_EQ(has_avx512_bf16() || has_avx512_vnni(), name == "vnni" || (name == "amx" && names[1] == "vnni"));
    EXPECT_EQ(only_avx2(), name == "avx2");
    EXPECT_EQ(has_i8mm(), name == "i8mm");
    EXPECT_EQ(has_dotprod(), name == "dotprod" || (name == "i8mm" && names[1] == "dotprod"));
    if (name == "avxvnni") { EXPECT_TRUE(has_avx_vnni()); }
    EXPECT_EQ(has_relaxed_dots(), name == "relaxed");
    if (name == "relaxed") {
      EXPECT_STREQ(probe_target(), "WASM");
    } else if (name == "i8mm" || name == "dotprod") {
      EXPECT_STREQ(probe_target(), "NEON");
    } else if (name == "avxvnni" || name == "avx2") {
      EXPECT_STREQ(probe_target(), "AVX2");
    } else if (name != "amx" && name != "vnni") {
      EXPECT_STRCASEEQ(probe_target(), name.c_str());
    }
  }
  EXPECT_FALSE(cpu_description().empty());
}

}  // namespace
}  // namespace espalier::kernels

// SPDX-License-Identifier: Apache-2.0
// Values from RFC 3720, appendix B.4, and the usual check value.
#include "core/crc32c.h"

#include <gtest/gtest.h>

#include <string>

namespace espalier {
namespace {

TEST(Crc32c, has_the_published_values) {
  EXPECT_EQ(crc32c(""), 0U);
  EXPECT_EQ(crc32c("123456789"), 0xe3069283U);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aaU);
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43U);
  std::string rising;
  for (int i = 0; i < 32; ++i) rising += static_cast<char>(i);
  EXPECT_EQ(crc32c(rising), 0x46dd794eU);
}

}  // namespace
}  // namespace espalier

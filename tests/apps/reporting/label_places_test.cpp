// SPDX-License-Identifier: Apache-2.0
// Names of points do not overlap, wherever the points are.
#include <gtest/gtest.h>

#include "apps/reporting/labels.h"
#include "core/rng.h"

namespace espalier {
namespace {

constexpr Box room{50, 10, 550, 330};

// Expects that the places are free; returns how many labels have one.
size_t expect_apart(const std::vector<LabelledPoint>& points, const std::vector<std::optional<Box>>& boxes) {
  size_t placed = 0;
  EXPECT_EQ(boxes.size(), points.size());
  for (size_t i = 0; i < boxes.size(); ++i) {
    if (!boxes[i]) continue;
    ++placed;
    EXPECT_EQ(boxes[i]->width, points[i].width);
    EXPECT_TRUE(room.holds(*boxes[i])) << i;
    for (size_t j = 0; j < i; ++j) EXPECT_FALSE(boxes[j] && boxes[i]->overlaps(*boxes[j])) << i << " and " << j;
    for (const LabelledPoint& p : points) EXPECT_FALSE(boxes[i]->overlaps({p.x - 5, p.y - 5, 10, 10})) << i;
  }
  return placed;
}

TEST(LabelPlaces, DoNotOverlap) {
  for (const size_t count : {1, 2, 7, 25})
    for (const double spread : {1.0, 20.0, 300.0})  // all at nearly one place; far apart
      for (uint64_t seed = 0; seed < 5; ++seed) {
        Rng random(seed, count);
        std::vector<LabelledPoint> points;
        for (size_t i = 0; i < count; ++i)
          points.push_back(
              {150 + random.uniform() * spread, 40 + random.uniform() * spread, 40 + 120 * random.uniform(), 16});
        EXPECT_EQ(expect_apart(points, place_labels(points, {}, room)), count) << spread;
      }
}

TEST(LabelPlaces, StandOffLinesWhereTheyCan) {
  const std::vector<LabelledPoint> points = {{300, 150, 60, 16}};
  const std::vector<Box> bars = {{298, 50, 4, 200}, {200, 148, 200, 4}};
  const auto box = place_labels(points, bars, room).front();
  ASSERT_TRUE(box);
  for (const Box& bar : bars) EXPECT_FALSE(box->overlaps(bar));
  const auto crossed = place_labels(points, {room}, room).front();
  ASSERT_TRUE(crossed) << "a name on a line is better than none";
}

TEST(LabelPlaces, AreLeftOutWhereThereIsNoRoom) {
  const std::vector<LabelledPoint> points = {{300, 150, 600, 16}, {310, 150, 60, 16}};
  const auto boxes = place_labels(points, {}, room);
  EXPECT_FALSE(boxes[0]);
  EXPECT_EQ(expect_apart(points, boxes), 1U);
}

TEST(TextWidth, CountsCharacters) {
  EXPECT_NEAR(text_width("abc", 10), 18.6, 1e-9);
  EXPECT_NEAR(text_width("é", 10), 7, 1e-9);
  EXPECT_GE(text_width("電", 10), 10);
  EXPECT_GE(text_width("😀", 10), 10);
}

}  // namespace
}  // namespace espalier

// SPDX-License-Identifier: Apache-2.0
// The page in headless Chromium, 360 and 1280 pixels wide: nothing but tables scrolls sideways, names in plots do not
// overlap as they are really drawn, and headings sort. Skipped where there is no Chromium.
#include <array>
#include <cstdio>

#include "tests/apps/program.h"

namespace espalier {
namespace {

// Put at the end of the page: tells the page around it what it sees, as JSON.
constexpr const char* look = R"(<script>
const box = e => e.getBoundingClientRect();
const shown = e => box(e).width > 0;
const names = [...document.querySelectorAll("svg .name")].filter(shown);
const pairs = names.flatMap((a, i) => names.slice(i + 1).filter(b => a.ownerSVGElement === b.ownerSVGElement).map(b => [a, b]));
const over = ([a, b]) => Math.min(box(a).right, box(b).right) - Math.max(box(a).left, box(b).left) > 1
  ? Math.min(box(a).bottom, box(b).bottom) - Math.max(box(a).top, box(b).top) > 4 : false;
const outside = names.filter(n => box(n).right > box(n.ownerSVGElement).right ? true : box(n.ownerSVGElement).left > box(n).left);
const sizes = document.querySelectorAll("table.sortable")[1], button = sizes.querySelectorAll("button")[1];
button.click(); button.click();
const order = [...sizes.tBodies[0].rows].map(row => Number(row.cells[1].dataset.key));
parent.postMessage(JSON.stringify({
  width: document.documentElement.scrollWidth, inner: innerWidth, names: names.length,
  overlapping: pairs.filter(over).map(([a, b]) => a.textContent + " " + b.textContent),
  outside: outside.map(n => n.textContent),
  figures: [...document.querySelectorAll("svg")].filter(shown).length,
  hidden: [...document.querySelectorAll("svg")].length - [...document.querySelectorAll("svg")].filter(shown).length,
  sorted: order.every((v, i) => i === 0 ? true : v >= order[i - 1]), state: button.parentElement.ariaSort,
}), "*");
</script>)";

std::string output_of(const std::string& command) {
  std::string text;
  std::array<char, 4096> part{};
  std::FILE* const pipe = popen((command + " 2>/dev/null").c_str(), "r");
  for (size_t n = 0; pipe != nullptr && (n = std::fread(part.data(), 1, part.size(), pipe)) > 0;)
    text.append(part.data(), n);
  if (pipe != nullptr) pclose(pipe);
  return text;
}

class ReportInABrowser : public Programs {};

TEST_F(ReportInABrowser, FitsTheWindow) {
  const std::string chromium =
      lines_of(output_of("command -v chromium || command -v chromium-browser || command -v google-chrome") + "\n")[0];
  if (chromium.empty()) GTEST_SKIP() << "there is no Chromium on the PATH";
  succeed(
      "train_sst2 --model random:tiny --vocab vocab.txt --data data --output dense.h5 --epochs 2 --log-dir dense "
      "--quiet");
  std::string models = "dense.h5";
  for (const char* amount : {"0.1", "0.2", "0.3", "0.5", "0.7", "0.8"}) {  // much the same size and speed
    const std::string name = "a_rather_long_name_of_a_model_pruned_by_" + std::string(amount) + ".h5";
    succeed("prune --model dense.h5 --quiet --amount " + std::string(amount) + " --output " + name);
    models += " " + name;
  }
  succeed("report " + models + " --data data/dev.tsv --rounds 1 --quiet --output page.html");
  std::string page = bytes("page.html");
  page.insert(page.rfind("</body>"), look);
  write_bytes(*this / "seen.html", page);
  for (const int width : {360, 1280}) {
    // In a frame, since a window has 500 pixels at least.
    write_bytes(*this / "frame.html",
                "<title>-</title><script>onmessage = e => document.title = e.data</script>"
                "<iframe src=\"seen.html\" height=\"900\" style=\"border:0\" width=\"" +
                    std::to_string(width) + "\"></iframe>");
    const std::string dom = output_of(
        chromium + " --headless=new --no-sandbox --disable-gpu --user-data-dir=" + (*this / "profile").string() +
        " --window-size=1400,1000 --virtual-time-budget=5000" + " --dump-dom file://" +
        (*this / "frame.html").string());
    const size_t begin = dom.find("<title>{"), end = dom.find("</title>");
    ASSERT_TRUE(begin != std::string::npos && end > begin) << dom.substr(0, 500);
    const auto seen = nlohmann::json::parse(dom.substr(begin + 7, end - begin - 7));
    ASSERT_EQ(seen["inner"], width) << seen;
    EXPECT_LE(seen["width"].get<int>(), width) << "the page itself does not scroll sideways";
    EXPECT_EQ(seen["names"], 14) << seen;
    EXPECT_EQ(seen["overlapping"].size(), 0U) << seen;
    EXPECT_EQ(seen["outside"].size(), 0U) << seen;
    EXPECT_EQ(seen["figures"], seen["hidden"]) << "one drawing of each pair";
    EXPECT_EQ(seen["sorted"], true) << seen;
    EXPECT_EQ(seen["state"], "ascending");
  }
}

}  // namespace
}  // namespace espalier

// SPDX-License-Identifier: Apache-2.0
#include "apps/reporting/report_files.h"

#include <filesystem>

#include "apps/reporting/page.h"
#include "apps/reporting/written.h"
#include "apps/training/output.h"
#include "core/check.h"
#include "data/files/atomic_file.h"

namespace espalier {
namespace {

struct Form {
  const char* ending;
  std::string (*text)(const std::vector<ModelFigures>& models, const ReportContext& context);
};

const Form* form_of(const std::string& path) {
  static const Form forms[] = {
      {".html", html_page}, {".md", markdown}, {".json", [](const auto& models, const auto& context) {
                                                  return to_json(models, context).text() + "\n";
                                                }}};
  const std::string ending = std::filesystem::path(path).extension();
  for (const Form& form : forms)
    if (ending == form.ending) return &form;
  return nullptr;
}

}  // namespace

void ReportFiles::declare(Options& rows) {
  rows.add("output", paths, "files to write: a page with plots FILE.html, tables FILE.md, all figures FILE.json")
      .no_default();
  declare_overwrite(rows, overwrite);
  rows.rule([this] {
    for (const std::string& path : paths)
      CHECK(form_of(path) != nullptr, "--output ", path,
            ": expected a name that ends in .html, .md or .json; models stand before the options");
  });
}

std::vector<FileLock> ReportFiles::lock() const {
  std::vector<FileLock> locks;
  for (const std::string& path : paths) locks.emplace_back(path);
  return locks;
}

void ReportFiles::write(const std::vector<ModelFigures>& models, const ReportContext& context) const {
  for (const std::string& path : paths) {
    announce_replaced(path, overwrite, Written::text);
    write_file(path, form_of(path)->text(models, context));
  }
}

}  // namespace espalier

// SPDX-License-Identifier: Apache-2.0
// For tests of pages: whether they are well-formed.
#pragma once

#include <string>

namespace espalier {

// Empty where the page is well-formed XML after its <!DOCTYPE html>: elements nest, attributes are quoted and single,
// no '<' or '&' stands alone, entities are those of XML, and no id is there twice. Else what is wrong, and where.
std::string fault_of_markup(const std::string& page);

}  // namespace espalier

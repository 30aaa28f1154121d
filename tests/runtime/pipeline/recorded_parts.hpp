// SPDX-License-Identifier: Apache-2.0
// Writes down the parts of a form: "name=content", "name(file)=content", "name(coded)=content".
#pragma once

#include "runtime/pipeline/multipart_scan.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace backplane::test {

using Parts = std::vector<std::string>;

class PartRecorder final : public FormVisitor {
 public:
  Parts parts;
  std::vector<std::uint64_t> offsets;

  Status on_part(const FormPart& part) override {
    EXPECT_FALSE(open_) << "a part before the end of the one before";
    open_ = true;
    offsets.push_back(part.offset);
    parts.push_back(part.name + (part.is_file ? "(file)" : "") +
                    (part.is_encoded ? "(coded)" : "") + '=');
    return ok();
  }
  Status on_content(std::string_view bytes) override {
    EXPECT_TRUE(open_);
    EXPECT_FALSE(bytes.empty());
    parts.back() += bytes;
    return ok();
  }
  Status on_part_end() override {
    EXPECT_TRUE(open_);
    open_ = false;
    return ok();
  }

 private:
  bool open_ = false;
};

}  // namespace backplane::test

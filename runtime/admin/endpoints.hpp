// SPDX-License-Identifier: Apache-2.0
// Which request asks for what: docs/admin.md says what each answers.
#pragma once

#include "runtime/admin/operations.hpp"

#include <string>
#include <string_view>

namespace backplane {

struct AdminRequest {
  std::string_view method;
  std::string_view target;
  std::string_view body;
  bool authorized = false;
};

// Health and readiness are told to everybody, all else to who has the token.
bool is_public(std::string_view target);

// [loop] Answers by `tell`, possibly before this returns.
void serve_admin(AdminOperations& operations, const AdminRequest& request, const AdminTell& tell);

// {"error": {"code": "...", "message": "..."}}
AdminAnswer admin_error(unsigned status, std::string_view code, std::string_view message);

}  // namespace backplane

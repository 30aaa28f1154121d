// SPDX-License-Identifier: Apache-2.0
#include "common/fetch/curl_library.hpp"

#include <dlfcn.h>

#include <mutex>

namespace backplane::fetch {
namespace {

template <class Function>
bool find(void* library, const char* name, Function& out) {
  out = reinterpret_cast<Function>(dlsym(library, name));
  return out != nullptr;
}

bool find_all(void* library, CurlLibrary& curl) {
  return find(library, "curl_global_init", curl.global_init) &&
         find(library, "curl_easy_init", curl.easy_init) &&
         find(library, "curl_easy_cleanup", curl.easy_cleanup) &&
         find(library, "curl_easy_getinfo", curl.easy_getinfo) &&
         find(library, "curl_easy_perform", curl.easy_perform) &&
         find(library, "curl_easy_reset", curl.easy_reset) &&
         find(library, "curl_easy_setopt", curl.easy_setopt) &&
         find(library, "curl_easy_strerror", curl.easy_strerror) &&
         find(library, "curl_multi_add_handle", curl.multi_add_handle) &&
         find(library, "curl_multi_cleanup", curl.multi_cleanup) &&
         find(library, "curl_multi_info_read", curl.multi_info_read) &&
         find(library, "curl_multi_init", curl.multi_init) &&
         find(library, "curl_multi_perform", curl.multi_perform) &&
         find(library, "curl_multi_poll", curl.multi_poll) &&
         find(library, "curl_multi_remove_handle", curl.multi_remove_handle) &&
         find(library, "curl_slist_append", curl.slist_append) &&
         find(library, "curl_slist_free_all", curl.slist_free_all);
}

}  // namespace

Result<const CurlLibrary*> CurlLibrary::load() {
  static std::mutex mutex;
  static CurlLibrary curl;
  static bool is_loaded = false;
  const std::lock_guard lock(mutex);
  if (is_loaded) return static_cast<const CurlLibrary*>(&curl);
  void* library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr || !find_all(library, curl)) {
    return Error{
        Code::kFailedPrecondition,
        "downloads need libcurl 7.85 or newer (libcurl.so.4); install the package libcurl4",
        {},
        0,
        0};
  }
  if (curl.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
    return internal_error("libcurl could not be initialised");
  }
  is_loaded = true;
  return static_cast<const CurlLibrary*>(&curl);
}

}  // namespace backplane::fetch
